#include "kernels/rnn_gates.h"

#include "core/parallel.h"
#include "simd/exp.h"
#include "simd/map.h"
#include "simd/tanh.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// Calls f(row, unit, count) for each vector of units; `operations` are those of one unit.
template <class F>
void for_units(const Matrix& hidden, std::int64_t operations, F f) {
  parallel_for(hidden.rows, hidden.cols * operations, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      for_lanes(hidden.cols, [&](std::int64_t u, std::int64_t count) { f(row, u, count); });
  });
}

}  // namespace

void elman_gates(const GatesStep& step, Activation activation) {
  for_units(step.hidden, 1, [&](std::int64_t row, std::int64_t u, std::int64_t n) {
    const Floats x = load_first(step.input[row] + u, n) + load_first(step.recurrent[row] + u, n);
    const Floats h = activation == Activation::kRelu ? max(broadcast(0), x) : tanh(x);
    store_first(step.hidden[row] + u, h, n);
  });
}

void gru_gates(const GatesStep& step) {
  const std::int64_t size = step.hidden.cols;
  for_units(step.hidden, 4, [&, size](std::int64_t row, std::int64_t u, std::int64_t n) {
    const float* x = step.input[row] + u;
    const float* h = step.recurrent[row] + u;
    const Floats r = sigmoid(load_first(x, n) + load_first(h, n));
    const Floats z = sigmoid(load_first(x + size, n) + load_first(h + size, n));
    const Floats candidate = tanh(fma(r, load_first(h + 2 * size, n), load_first(x + 2 * size, n)));
    const Floats previous = load_first(step.state[row] + u, n);
    store_first(step.hidden[row] + u, fma(z, previous - candidate, candidate), n);
  });
}

void lstm_gates(const GatesStep& step) {
  const std::int64_t size = step.hidden.cols;
  for_units(step.hidden, 4, [&, size](std::int64_t row, std::int64_t u, std::int64_t n) {
    const float* x = step.input[row] + u;
    const float* h = step.recurrent[row] + u;
    const auto gate = [&](int k) {
      return load_first(x + k * size, n) + load_first(h + k * size, n);
    };
    const Floats i = sigmoid(gate(0)), f = sigmoid(gate(1)), g = tanh(gate(2));
    const Floats cell = fma(f, load_first(step.state[row] + u, n), i * g);
    store_first(step.cell[row] + u, cell, n);
    store_first(step.hidden[row] + u, sigmoid(gate(3)) * tanh(cell), n);
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
