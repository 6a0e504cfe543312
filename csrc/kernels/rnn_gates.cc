#include "kernels/rnn_gates.h"

#include <type_traits>

#include "core/parallel.h"
#include "simd/activation.h"
#include "simd/map.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// A vector of units of one row. The usual activations are known to the compiler, which takes a
// quarter less time than choosing them for each vector.
template <bool kUsual>
struct Units {
  const GatesStep& step;
  std::int64_t row, first, count;

  ATTNENGINE_INLINE Floats load(const float* p) const { return load_first(p + first, count); }
  ATTNENGINE_INLINE void store(Matrix to, Floats x) const {
    store_first(to[row] + first, x, count);
  }

  ATTNENGINE_INLINE Floats input(std::int64_t k) const {
    return load(step.input[row] + k * step.hidden.cols);
  }
  ATTNENGINE_INLINE Floats recurrent(std::int64_t k) const {
    return load(step.recurrent[row] + k * step.hidden.cols);
  }
  ATTNENGINE_INLINE Floats sum(std::int64_t k) const { return input(k) + recurrent(k); }
  ATTNENGINE_INLINE Floats state() const { return load(step.state[row]); }
  ATTNENGINE_INLINE Floats peephole(std::int64_t k) const {
    return load(step.options.peepholes + k * step.hidden.cols);
  }

  ATTNENGINE_INLINE Floats gate(Floats x) const {
    return kUsual ? sigmoid(x) : activated(step.options.gate, x);
  }
  ATTNENGINE_INLINE Floats nonlinear(Floats x) const {
    return kUsual ? tanh(x) : activated(step.options.nonlinearity, x);
  }
};

bool usual(const CellOptions& options) {
  return options.gate == Activation::kSigmoid && options.nonlinearity == Activation::kTanh;
}

// Calls f(units) for each vector of units; `operations` are those of one unit.
template <class F>
void for_units(const GatesStep& step, std::int64_t operations, F f) {
  const std::int64_t size = step.hidden.cols;
  const auto rows = [=](auto known, std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      for_lanes(size, [&](std::int64_t u, std::int64_t n) { f(Units<known>{step, row, u, n}); });
  };
  parallel_for(step.hidden.rows, size * operations, [=](std::int64_t begin, std::int64_t end) {
    if (usual(step.options))
      rows(std::true_type{}, begin, end);
    else
      rows(std::false_type{}, begin, end);
  });
}

// (1 - z) * candidate + z * state
ATTNENGINE_INLINE Floats updated(Floats z, Floats candidate, Floats state) {
  return fma(z, state - candidate, candidate);
}

}  // namespace

void elman_gates(const GatesStep& step) {
  for_units(step, 1, [](const auto& u) { u.store(u.step.hidden, u.nonlinear(u.sum(0))); });
}

void gru_gates(const GatesStep& step) {
  for_units(step, 4, [](const auto& u) {
    const Floats r = u.gate(u.sum(0)), z = u.gate(u.sum(1));
    const Floats candidate = u.nonlinear(fma(r, u.recurrent(2), u.input(2)));
    u.store(u.step.hidden, updated(z, candidate, u.state()));
  });
}

void gru_reset(const GatesStep& step, Matrix reset) {
  for_units(step, 2, [=](const auto& u) { u.store(reset, u.gate(u.sum(0)) * u.state()); });
}

void gru_update(const GatesStep& step, ConstMatrix candidate) {
  for_units(step, 3, [=](const auto& u) {
    const Floats n = u.nonlinear(u.input(2) + u.load(candidate[u.row]));
    u.store(u.step.hidden, updated(u.gate(u.sum(1)), n, u.state()));
  });
}

void lstm_gates(const GatesStep& step) {
  for_units(step, 4, [](const auto& u) {
    // adds the peephole of a gate to its sum
    const auto with_peephole = [&](std::int64_t gate, std::int64_t peephole, Floats cell) {
      const Floats sum = u.sum(gate);
      return u.step.options.peepholes ? fma(u.peephole(peephole), cell, sum) : sum;
    };
    const Floats state = u.state();
    const Floats i = u.gate(with_peephole(0, 0, state)), f = u.gate(with_peephole(1, 1, state));
    const Floats new_cell = fma(f, state, i * u.nonlinear(u.sum(2)));
    const Floats cell = clamp(new_cell, u.step.options.cell_clip);
    const Floats o = u.gate(with_peephole(3, 2, cell));
    u.store(u.step.cell, cell);
    u.store(u.step.hidden, o * u.nonlinear(cell));
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
