#include <string>

#include "bindings/bind.h"
#include "bindings/choices.h"
#include "bindings/kernel_call.h"
#include "kernels/kernels.h"

namespace attnengine {
namespace {

// Views of gx and gh, (rows, gates * hidden); state (rows, hidden) gives the expected shape.
GatesStep gates_step(const FloatArray& gx, const FloatArray& gh, const FloatArray& state,
                     std::int64_t gates, const std::string& state_name) {
  const ConstMatrix input = matrix(gx, "gx"), recurrent = matrix(gh, "gh");
  const ConstMatrix s = matrix(state, state_name);
  expect_equal(input.rows, s.rows, "gx.shape[0]");
  expect_equal(input.cols, gates * s.cols, "gx.shape[1]");
  expect_equal(recurrent.rows, s.rows, "gh.shape[0]");
  expect_equal(recurrent.cols, gates * s.cols, "gh.shape[1]");
  return {input, recurrent, s, {}, {}};
}

FloatArray elman_gates(const FloatArray& gx, const FloatArray& gh, const std::string& nonlinearity,
                       int num_threads) {
  const Activation activation = elman_nonlinearity(nonlinearity);
  GatesStep step = gates_step(gx, gh, gx, 1, "gx");
  FloatArray hidden = new_matrix(step.state.rows, step.state.cols);
  step.hidden = writable(hidden);
  run_kernel(num_threads, [&] { kernels().elman_gates(step, activation); });
  return hidden;
}

FloatArray gru_gates(const FloatArray& gx, const FloatArray& gh, const FloatArray& hidden,
                     int num_threads) {
  GatesStep step = gates_step(gx, gh, hidden, 3, "hidden");
  FloatArray new_hidden = new_matrix(step.state.rows, step.state.cols);
  step.hidden = writable(new_hidden);
  run_kernel(num_threads, [&] { kernels().gru_gates(step); });
  return new_hidden;
}

py::tuple lstm_gates(const FloatArray& gx, const FloatArray& gh, const FloatArray& cell,
                     int num_threads) {
  GatesStep step = gates_step(gx, gh, cell, 4, "cell");
  FloatArray hidden = new_matrix(step.state.rows, step.state.cols);
  FloatArray new_cell = new_matrix(step.state.rows, step.state.cols);
  step.hidden = writable(hidden);
  step.cell = writable(new_cell);
  run_kernel(num_threads, [&] { kernels().lstm_gates(step); });
  return py::make_tuple(hidden, new_cell);
}

}  // namespace

void bind_gate_kernels(py::module_& m) {
  m.def("elman_gates", &elman_gates, "gx"_a, "gh"_a, "nonlinearity"_a = "tanh", "num_threads"_a = 1,
        "gx and gh (rows, hidden); returns (rows, hidden).");
  m.def("gru_gates", &gru_gates, "gx"_a, "gh"_a, "hidden"_a, "num_threads"_a = 1,
        "gx and gh (rows, 3 * hidden), hidden (rows, hidden); returns (rows, hidden).");
  m.def("lstm_gates", &lstm_gates, "gx"_a, "gh"_a, "cell"_a, "num_threads"_a = 1,
        R"(gx and gh (rows, 4 * hidden), cell (rows, hidden).
Returns (hidden, cell), both (rows, hidden).)");
}

}  // namespace attnengine
