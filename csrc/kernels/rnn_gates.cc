#include "kernels/rnn_gates.h"

#include "core/parallel.h"
#include "simd/tanh.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// Calls f(row, unit, count) for groups of up to eight units; `operations` are those of one unit.
template <class F>
void for_units(const Matrix& hidden, std::int64_t operations, F f) {
  parallel_for(hidden.rows, hidden.cols * operations, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      std::int64_t u = 0;
      for (; u + kLanes <= hidden.cols; u += kLanes) f(row, u, kLanes);
      if (u < hidden.cols) f(row, u, hidden.cols - u);
    }
  });
}

ATTNENGINE_INLINE Floats load_units(const float* p, std::int64_t count) {
  return count == kLanes ? load(p) : load_first(p, count, 0);
}

ATTNENGINE_INLINE void store_units(float* p, Floats x, std::int64_t count) {
  if (count == kLanes)
    store(p, x);
  else
    store_first(p, x, count);
}

}  // namespace

void elman_gates(const GatesStep& step, Activation activation) {
  for_units(step.hidden, 16, [&](std::int64_t row, std::int64_t u, std::int64_t n) {
    const Floats x = load_units(step.input[row] + u, n) + load_units(step.recurrent[row] + u, n);
    const Floats h = activation == Activation::kRelu ? max(broadcast(0), x) : tanh(x);
    store_units(step.hidden[row] + u, h, n);
  });
}

void gru_gates(const GatesStep& step) {
  const std::int64_t size = step.hidden.cols;
  for_units(step.hidden, 64, [&, size](std::int64_t row, std::int64_t u, std::int64_t n) {
    const float* x = step.input[row] + u;
    const float* h = step.recurrent[row] + u;
    const Floats r = sigmoid(load_units(x, n) + load_units(h, n));
    const Floats z = sigmoid(load_units(x + size, n) + load_units(h + size, n));
    const Floats candidate = tanh(fma(r, load_units(h + 2 * size, n), load_units(x + 2 * size, n)));
    const Floats previous = load_units(step.state[row] + u, n);
    store_units(step.hidden[row] + u, fma(z, previous - candidate, candidate), n);
  });
}

void lstm_gates(const GatesStep& step) {
  const std::int64_t size = step.hidden.cols;
  for_units(step.hidden, 96, [&, size](std::int64_t row, std::int64_t u, std::int64_t n) {
    const float* x = step.input[row] + u;
    const float* h = step.recurrent[row] + u;
    const auto gate = [&](int k) {
      return load_units(x + k * size, n) + load_units(h + k * size, n);
    };
    const Floats i = sigmoid(gate(0)), f = sigmoid(gate(1)), g = tanh(gate(2));
    const Floats cell = fma(f, load_units(step.state[row] + u, n), i * g);
    store_units(step.cell[row] + u, cell, n);
    store_units(step.hidden[row] + u, sigmoid(gate(3)) * tanh(cell), n);
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
