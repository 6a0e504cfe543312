#include <algorithm>
#include <string>
#include <vector>

#include "bindings/bind.h"
#include "bindings/dynamic_base.h"
#include "bindings/kernel_call.h"
#include "kernels/kernels.h"

namespace attnengine {
namespace {

// The checked arguments and the outputs of one attention step over one sentence.
struct AttentionCall {
  AttentionCall(const FloatArray& query, const FloatArray& keys, const FloatArray& values)
      : query_(matrix(query, "query")) {
    const ConstMatrix k = matrix(keys, "keys"), v = matrix(values, "values");
    expect_equal(query_.cols, k.cols, "query.shape[1]");
    expect_equal(v.rows, k.rows, "values.shape[0]");
    if (k.rows == 0) throw InvalidArgument("keys.shape[0] is 0, expected at least 1");
    sources_.assign(query_.rows, {k.data, v.data, k.rows});
    context = new_matrix(query_.rows, v.cols);
    weights = new_matrix(query_.rows, k.rows);
  }

  AttentionStep step() { return {query_, sources_.data(), writable(weights), writable(context)}; }

  py::tuple result() const { return py::make_tuple(context, weights); }

  FloatArray context;  // (rows, value_dim)
  FloatArray weights;  // (rows, src)

 private:
  ConstMatrix query_;
  std::vector<Source> sources_;
};

py::tuple additive_attention(const FloatArray& query, const FloatArray& keys,
                             const FloatArray& values, const FloatArray& v, int num_threads) {
  AttentionCall call(query, keys, values);
  const AttentionStep step = call.step();
  const float* vector_v = vector(v, step.query.cols, "v");
  run_kernel(num_threads, [&] { kernels().additive_attention(step, vector_v); });
  return call.result();
}

py::tuple dot_attention(const FloatArray& query, const FloatArray& keys, const FloatArray& values,
                        int num_threads) {
  AttentionCall call(query, keys, values);
  const AttentionStep step = call.step();
  run_kernel(num_threads, [&] { kernels().dot_attention(step); });
  return call.result();
}

FloatArray rotary(const FloatArray& x, const py::object& positions, const FloatArray& frequencies,
                  float factor, const Dynamic& dynamic, int num_threads) {
  expect_dimensions(x, 3, "x");
  const std::int64_t rows = x.shape(0), heads = x.shape(1), head_dim = x.shape(2);
  const auto at = integers<std::int64_t>(positions, "positions");
  expect_equal(static_cast<std::int64_t>(at.size()), rows, "positions.shape[0]");
  const Rotary turn(floats(frequencies, "frequencies"), factor, dynamic_base(dynamic));
  if (2 * turn.half() > head_dim)
    throw InvalidArgument("frequencies.shape[0] is " + std::to_string(turn.half()) +
                          ", expected at most half of x.shape[2], which is " +
                          std::to_string(head_dim));
  FloatArray y({rows, heads, head_dim});
  const Matrix to{y.mutable_data(), rows, heads * head_dim};
  const float* from = x.data();
  run_kernel(num_threads, [&] {
    Buffer cosines, sines;
    const Matrix c = cosines.matrix(rows, turn.half()), s = sines.matrix(rows, turn.half());
    turn.angles(at.data(), c, s);
    std::copy_n(from, rows * heads * head_dim, to.data);
    kernels().rotary({to, constant(c), constant(s), heads, head_dim});
  });
  return y;
}

}  // namespace

void bind_attention_kernels(py::module_& m) {
  m.def("additive_attention", &additive_attention, "query"_a, "keys"_a, "values"_a, "v"_a,
        "num_threads"_a = 1,
        R"(Attention with the score v . tanh(query + key) (Bahdanau et al. 2015).

query (rows, key_dim), keys (src, key_dim), values (src, value_dim), v (key_dim,).
Returns (context (rows, value_dim), weights (rows, src)).
Raises InvalidArgument for other shapes.)");
  m.def("dot_attention", &dot_attention, "query"_a, "keys"_a, "values"_a, "num_threads"_a = 1,
        R"(Attention with the score query . key (Luong et al. 2015).

query (rows, key_dim), keys (src, key_dim), values (src, value_dim).
Returns (context (rows, value_dim), weights (rows, src)).
Raises InvalidArgument for other shapes.)");
  m.def("rotary", &rotary, "x"_a, "positions"_a, "frequencies"_a, "factor"_a = 1.0f,
        "dynamic"_a = py::none(), "num_threads"_a = 1,
        R"(Rotates pairs of dimensions by position (RoPE, Su et al. 2021).

x (rows, heads, head_dim), positions (rows,), frequencies (half,) in radians per position.
Dimensions i and i + half form a pair; factor multiplies sines and cosines. dynamic (base, factor,
trained): from position `trained` on frequencies follow NTK-aware scaling.
Returns (rows, heads, head_dim). Raises InvalidArgument for other shapes.)");
}

}  // namespace attnengine
