#include <optional>
#include <string>

#include "bindings/bind.h"
#include "bindings/choices.h"
#include "bindings/kernel_call.h"
#include "kernels/kernels.h"

namespace attnengine {
namespace {

// Checked views of gx (rows, gates * hidden) and gh (rows, recurrent_gates * hidden). The array
// `state` (rows, hidden) sets the expected sizes.
GatesStep gates_step(const FloatArray& gx, const FloatArray& gh, const FloatArray& state,
                     std::int64_t gates, std::int64_t recurrent_gates,
                     const std::string& state_name) {
  const ConstMatrix input = matrix(gx, "gx"), recurrent = matrix(gh, "gh");
  const ConstMatrix s = matrix(state, state_name);
  expect_equal(input.rows, s.rows, "gx.shape[0]");
  expect_equal(input.cols, gates * s.cols, "gx.shape[1]");
  expect_equal(recurrent.rows, s.rows, "gh.shape[0]");
  expect_equal(recurrent.cols, recurrent_gates * s.cols, "gh.shape[1]");
  return {input, recurrent, s, {}, {}, {}};
}

FloatArray elman_gates(const FloatArray& gx, const FloatArray& gh, const std::string& nonlinearity,
                       int num_threads) {
  GatesStep step = gates_step(gx, gh, gx, 1, 1, "gx");
  step.options.nonlinearity = activation(nonlinearity, "nonlinearity");
  FloatArray hidden = new_matrix(step.state.rows, step.state.cols);
  step.hidden = writable(hidden);
  run_kernel(num_threads, [&] { kernels().elman_gates(step); });
  return hidden;
}

FloatArray gru_gates(const FloatArray& gx, const FloatArray& gh, const FloatArray& hidden,
                     const std::string& nonlinearity, const std::string& gate_activation,
                     int num_threads) {
  GatesStep step = gates_step(gx, gh, hidden, 3, 3, "hidden");
  step.options = cell_options(nonlinearity, gate_activation);
  FloatArray new_hidden = new_matrix(step.state.rows, step.state.cols);
  step.hidden = writable(new_hidden);
  run_kernel(num_threads, [&] { kernels().gru_gates(step); });
  return new_hidden;
}

FloatArray gru_reset(const FloatArray& gx, const FloatArray& gh, const FloatArray& hidden,
                     const std::string& gate_activation, int num_threads) {
  GatesStep step = gates_step(gx, gh, hidden, 3, 2, "hidden");
  step.options.gate = activation(gate_activation, "gate_activation");
  FloatArray reset = new_matrix(step.state.rows, step.state.cols);
  step.hidden = writable(reset);
  run_kernel(num_threads, [&] { kernels().gru_reset(step, step.hidden); });
  return reset;
}

FloatArray gru_update(const FloatArray& gx, const FloatArray& gh, const FloatArray& candidate,
                      const FloatArray& hidden, const std::string& nonlinearity,
                      const std::string& gate_activation, int num_threads) {
  GatesStep step = gates_step(gx, gh, hidden, 3, 2, "hidden");
  step.options = cell_options(nonlinearity, gate_activation);
  const ConstMatrix recurrent = matrix(candidate, "candidate");
  expect_equal(recurrent.rows, step.state.rows, "candidate.shape[0]");
  expect_equal(recurrent.cols, step.state.cols, "candidate.shape[1]");
  FloatArray new_hidden = new_matrix(step.state.rows, step.state.cols);
  step.hidden = writable(new_hidden);
  run_kernel(num_threads, [&] { kernels().gru_update(step, recurrent); });
  return new_hidden;
}

py::tuple lstm_gates(const FloatArray& gx, const FloatArray& gh, const FloatArray& cell,
                     const std::optional<FloatArray>& peepholes, const std::string& nonlinearity,
                     const std::string& gate_activation, const std::optional<float>& cell_clip,
                     int num_threads) {
  GatesStep step = gates_step(gx, gh, cell, 4, 4, "cell");
  step.options = cell_options(nonlinearity, gate_activation);
  if (peepholes) step.options.peepholes = vector(*peepholes, 3 * step.state.cols, "peepholes");
  step.options.cell_clip = limit(cell_clip, "cell_clip");
  FloatArray hidden = new_matrix(step.state.rows, step.state.cols);
  FloatArray new_cell = new_matrix(step.state.rows, step.state.cols);
  step.hidden = writable(hidden);
  step.cell = writable(new_cell);
  run_kernel(num_threads, [&] { kernels().lstm_gates(step); });
  return py::make_tuple(hidden, new_cell);
}

}  // namespace

void bind_gate_kernels(py::module_& m) {
  const auto nonlinearity = "nonlinearity"_a = "tanh";
  const auto gate = "gate_activation"_a = "sigmoid";
  const auto threads = "num_threads"_a = 1;
  m.def("elman_gates", &elman_gates, "gx"_a, "gh"_a, nonlinearity, threads,
        R"(The step of an Elman cell: nonlinearity(gx + gh).

gx and gh (rows, hidden); returns h' (rows, hidden).)");
  m.def("gru_gates", &gru_gates, "gx"_a, "gh"_a, "hidden"_a, nonlinearity, gate, threads,
        R"(The gates of torch.nn.GRU in the order r, z, n: reset after the recurrent product.

gx and gh (rows, 3 * hidden), hidden (rows, hidden); returns h' (rows, hidden).)");
  m.def("gru_reset", &gru_reset, "gx"_a, "gh"_a, "hidden"_a, gate, threads,
        R"(The reset gate of a GRU that resets before the recurrent product (Cho et al. 2014).

gx (rows, 3 * hidden), gh (rows, 2 * hidden), hidden (rows, hidden).
Returns r * hidden (rows, hidden).)");
  m.def("gru_update", &gru_update, "gx"_a, "gh"_a, "candidate"_a, "hidden"_a, nonlinearity, gate,
        threads,
        R"(The rest of a GRU step after gru_reset; candidate is the recurrent part of gate n.

gx (rows, 3 * hidden), gh (rows, 2 * hidden), candidate and hidden (rows, hidden).
Returns h' (rows, hidden).)");
  m.def("lstm_gates", &lstm_gates, "gx"_a, "gh"_a, "cell"_a, "peepholes"_a = py::none(),
        nonlinearity, gate, "cell_clip"_a = py::none(), threads,
        R"(The gates of torch.nn.LSTM in the order i, f, g, o; peepholes of i, f and o.

gx and gh (rows, 4 * hidden), cell (rows, hidden), peepholes (3 * hidden,).
Returns (hidden, cell), both (rows, hidden).)");
}

}  // namespace attnengine
