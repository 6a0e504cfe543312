#include "kernels/kernels.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bind.h"
#include "bindings/choices.h"
#include "bindings/kernel_call.h"
#include "core/thread_backend.h"
#include "kernels/dispatch.h"
#include "layers/embedding.h"
#include "layers/linear.h"

namespace attnengine {
namespace {

FloatArray activate(const FloatArray& x, const std::string& name, int num_threads) {
  FloatArray y(std::vector<py::ssize_t>(x.shape(), x.shape() + x.ndim()));
  const Activation chosen = activation(name, "activation");
  const float* from = x.data();
  const Matrix to{y.mutable_data(), y.size(), 1};
  run_kernel(num_threads, [&] {
    std::copy(from, from + to.rows, to.data);
    kernels().activate(chosen, to);
  });
  return y;
}

FloatArray softmax(const FloatArray& x, int num_threads) {
  const ConstMatrix from = matrix(x, "x");
  FloatArray y = new_matrix(from.rows, from.cols);
  const Matrix to = writable(y);
  run_kernel(num_threads, [&] {
    std::copy(from.data, from[from.rows], to.data);
    kernels().softmax(to);
  });
  return y;
}

py::tuple log_softmax_top_k(const FloatArray& logits, std::int64_t k, int num_threads) {
  const ConstMatrix x = matrix(logits, "logits");
  if (k < 1 || k > x.cols)
    throw InvalidArgument("k is " + std::to_string(k) + ", expected 1 to " +
                          std::to_string(x.cols) + " (logits.shape[1])");
  FloatArray log_probs = new_matrix(x.rows, k);
  IntArray tokens({x.rows, k});
  std::vector<double> log_sums(x.rows);
  std::vector<float> maxima(x.rows * logit_blocks(x.cols)), sums(maxima.size());
  const TopKStep step{x,
                      k,
                      log_probs.mutable_data(),
                      tokens.mutable_data(),
                      log_sums.data(),
                      maxima.data(),
                      sums.data()};
  run_kernel(num_threads, [&] { kernels().log_softmax_top_k(step); });
  return py::make_tuple(log_probs, tokens);
}

py::array_t<double> target_log_probs(const FloatArray& logits, const py::object& targets,
                                     int num_threads) {
  const ConstMatrix x = matrix(logits, "logits");
  const auto tokens = integers<std::int32_t>(targets, "targets");
  expect_equal(std::int64_t(tokens.size()), x.rows, "targets.shape[0]");
  check_tokens(tokens.data(), x.rows, x.cols, "targets");
  py::array_t<double> log_probs(x.rows);
  double* to = log_probs.mutable_data();
  run_kernel(num_threads, [&] { kernels().target_log_probs(x, tokens.data(), to); });
  return log_probs;
}

FloatArray layer_norm(const FloatArray& x, const FloatArray& weight,
                      const std::optional<FloatArray>& bias, float eps, int num_threads) {
  const ConstMatrix from = matrix(x, "x");
  const float* w = vector(weight, from.cols, "weight");
  const std::vector<float> zeros(bias ? 0 : from.cols);
  const float* b = bias ? vector(*bias, from.cols, "bias") : zeros.data();
  FloatArray y = new_matrix(from.rows, from.cols);
  const Matrix to = writable(y);
  run_kernel(num_threads, [&] { kernels().layer_norm(from, w, b, eps, to); });
  return y;
}

FloatArray rms_norm(const FloatArray& x, const FloatArray& weight, float eps, int num_threads) {
  const ConstMatrix from = matrix(x, "x");
  const float* w = vector(weight, from.cols, "weight");
  FloatArray y = new_matrix(from.rows, from.cols);
  const Matrix to = writable(y);
  run_kernel(num_threads, [&] { kernels().rms_norm(from, w, eps, to); });
  return y;
}

// A linear layer of the kernels' Python interface; a type apart from the layers' Linear.
struct PackedLinear : Linear {
  using Linear::Linear;
};

FloatArray apply(const PackedLinear& layer, const FloatArray& x, const std::string& name,
                 const std::optional<FloatArray>& add, int num_threads) {
  const ConstMatrix from = matrix(x, "x");
  expect_equal(from.cols, layer.in(), "x.shape[1]");
  FloatArray y = new_matrix(from.rows, layer.out());
  const Matrix to = writable(y);
  const Activation chosen = activation(name, "activation");
  if (add) {
    const ConstMatrix sum = matrix(*add, "add");
    expect_equal(sum.rows, to.rows, "add.shape[0]");
    expect_equal(sum.cols, to.cols, "add.shape[1]");
    std::copy_n(sum.data, sum.rows * sum.cols, to.data);
  }
  run_kernel(num_threads, [&] { layer(from, to, chosen, add.has_value()); });
  return y;
}

FloatArray unpack(const PackedLinear& layer, const py::object& outputs) {
  const auto chosen = integers<std::int32_t>(outputs, "outputs");
  check_tokens(chosen.data(), chosen.size(), layer.out(), "outputs");
  FloatArray rows = new_matrix(chosen.size(), layer.in());
  const Matrix to = writable(rows);
  run_kernel(1, [&] {
    for (std::int64_t row = 0; row < to.rows; ++row) layer.unpack(chosen[row], to[row]);
  });
  return rows;
}

PackedLinear packed_linear(const FloatArray& weight, const std::optional<FloatArray>& bias,
                           const std::string& precision) {
  const ConstMatrix w = matrix(weight, "weight");
  const float* b = bias ? vector(*bias, w.rows, "bias") : nullptr;
  return {w, bias ? std::vector<float>(b, b + w.rows) : std::vector<float>{},
          BuildSettings{precision_of(precision)}};
}

FloatArray gated_activation(const FloatArray& both, const std::string& name, int num_threads) {
  const ConstMatrix from = matrix(both, "both");
  if (from.cols % 2)
    throw InvalidArgument("both.shape[1] is " + std::to_string(from.cols) +
                          ", expected an even number: gates and values of equal size");
  FloatArray y({from.rows, from.cols / 2});
  const Matrix to = writable(y);
  const Activation chosen = activation(name, "activation");
  run_kernel(num_threads, [&] { kernels().gated_activation(chosen, from, to); });
  return y;
}

FloatArray linear(const FloatArray& x, const FloatArray& weight,
                  const std::optional<FloatArray>& bias, const std::string& activation,
                  int num_threads) {
  return apply(packed_linear(weight, bias, "float32"), x, activation, std::nullopt, num_threads);
}

}  // namespace

void bind_kernels(py::module_& m) {
  m.def("isa", [] { return kernels().isa; }, "Name of the instruction set in use.");
  m.def("available_isas", &available_isas,
        "Names of the instruction sets that this machine supports, best first.");
  m.def(
      "thread_backend", [] { return kThreadBackendNames[int(thread_backend())]; },
      "Name of the library that runs threads.");
  m.def("available_thread_backends", &available_thread_backends,
        "Names of the thread libraries that this build supports.");
  m.def("activate", &activate, "x"_a, "activation"_a, "num_threads"_a = 1,
        "Apply an activation to every element of x, which has any shape; returns the same shape.");
  m.def("gated_activation", &gated_activation, "both"_a, "activation"_a, "num_threads"_a = 1,
        R"(activation(gate) * up (Shazeer 2020).

both (rows, 2 * n), gates first; returns (rows, n).)");
  m.def("softmax", &softmax, "x"_a, "num_threads"_a = 1,
        "The softmax of each row: exp(x) / sum(exp(x)). x (rows, n); returns (rows, n).");
  m.def("log_softmax_top_k", &log_softmax_top_k, "logits"_a, "k"_a, "num_threads"_a = 1,
        R"(The k most probable tokens of each row and their log-probabilities, best first.

logits (rows, vocab_size); returns (log_probs, tokens), both (rows, k).
Raises InvalidArgument unless 1 <= k <= vocab_size.)");
  m.def("target_log_probs", &target_log_probs, "logits"_a, "targets"_a, "num_threads"_a = 1,
        R"(The log-probability of one target token per row.

logits (rows, vocab_size), targets (rows,); returns (rows,) in float64.
Raises InvalidArgument for a target outside the vocabulary.)");
  m.def("layer_norm", &layer_norm, "x"_a, "weight"_a, "bias"_a = py::none(), "eps"_a = 1e-5f,
        "num_threads"_a = 1,
        R"(Layer normalisation of each row (Ba et al. 2016).

x (rows, size), weight (size,), bias (size,) or None; returns (rows, size).)");
  m.def("rms_norm", &rms_norm, "x"_a, "weight"_a, "eps"_a = 1e-5f, "num_threads"_a = 1,
        R"(RMS normalisation of each row (Zhang and Sennrich 2019).

x (rows, size), weight (size,); returns (rows, size).)");
  m.def("linear", &linear, "x"_a, "weight"_a, "bias"_a = py::none(), "activation"_a = "none",
        "num_threads"_a = 1,
        R"(activation(x @ weight.T + bias) in float32; the weight is packed at every call.

x (rows, in), weight (out, in), bias (out,) or None; returns (rows, out).)");
  py::class_<PackedLinear>(m, "PackedLinear",
                           "A linear layer that packs its weight once, for many calls.")
      .def(py::init(&packed_linear), "weight"_a, "bias"_a = py::none(), py::kw_only(),
           "precision"_a = "float32",
           R"(Pack weight (out, in) in a precision; bias (out,) or None.

precision: "float32", "bfloat16", "int8" or "int4".)")
      .def("__call__", &apply, "x"_a, "activation"_a = "none", py::kw_only(), "add"_a = py::none(),
           "num_threads"_a = 1,
           R"(activation(add + x @ weight.T + bias).

x (rows, in), add (rows, out) or None; returns (rows, out).)")
      .def("unpack", &unpack, "outputs"_a,
           R"(The weights of some outputs (n,), as rounded by the precision; returns (n, in).

Raises InvalidArgument for an output that is out of range.)");
  bind_attention_kernels(m);
  bind_key_value_pages(m);
  bind_gate_kernels(m);
}

}  // namespace attnengine
