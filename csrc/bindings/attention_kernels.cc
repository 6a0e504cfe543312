#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "bindings/bind.h"
#include "bindings/kernel_call.h"
#include "kernels/kernels.h"
#include "layers/rotary.h"

namespace attnengine {
namespace {

// The outputs and the checked arguments of one step of attention over one sentence.
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

// (rows,) the given lengths, checked, or `positions` for every row
std::vector<std::int64_t> checked_lengths(const py::object& lengths, std::int64_t rows,
                                          std::int64_t positions) {
  if (lengths.is_none()) return std::vector<std::int64_t>(rows, positions);
  const auto given = integers<std::int64_t>(lengths, "lengths");
  expect_equal(std::int64_t(given.size()), rows, "lengths.shape[0]");
  for (std::int64_t i = 0; i < rows; ++i)
    if (given[i] < 1 || given[i] > positions)
      throw InvalidArgument("lengths[" + std::to_string(i) + "] is " + std::to_string(given[i]) +
                            ", expected 1 to " + std::to_string(positions));
  return given;
}

void check_heads(const FloatArray& query, const FloatArray& keys, const FloatArray& values) {
  expect_dimensions(query, 3, "query");
  expect_dimensions(keys, 3, "keys");
  expect_dimensions(values, 3, "values");
  expect_equal(keys.shape(2), query.shape(2), "keys.shape[2]");
  for (int i = 0; i < 3; ++i)
    expect_equal(values.shape(i), keys.shape(i), "values.shape[" + std::to_string(i) + "]");
  if (keys.shape(0) == 0) throw InvalidArgument("keys.shape[0] is 0, expected at least 1");
  const std::int64_t heads = query.shape(1), kv_heads = keys.shape(1);
  if (heads == 0 || kv_heads == 0 || heads % kv_heads != 0)
    throw InvalidArgument("keys.shape[1] is " + std::to_string(kv_heads) +
                          ", expected a divisor of query.shape[1], " + std::to_string(heads));
}

ScoreBias score_bias(const std::optional<FloatArray>& table,
                     const std::optional<FloatArray>& slopes,
                     const std::optional<FloatArray>& key_bias, std::int64_t heads,
                     std::int64_t positions) {
  ScoreBias bias;
  if (table) {
    const ConstMatrix t = matrix(*table, "position_bias");
    expect_equal(t.rows, heads, "position_bias.shape[0]");
    if (t.cols % 2 == 0)
      throw InvalidArgument("position_bias.shape[1] is " + std::to_string(t.cols) +
                            ", expected an odd number");
    bias.table = t.data;
    bias.reach = t.cols / 2;
  }
  if (slopes) bias.slopes = vector(*slopes, heads, "slopes");
  if (key_bias) {
    const ConstMatrix k = matrix(*key_bias, "key_bias");
    expect_equal(k.rows, heads, "key_bias.shape[0]");
    expect_equal(k.cols, positions, "key_bias.shape[1]");
    bias.keys = k.data;
    bias.positions = positions;
  }
  return bias;
}

// Each row's own place among the keys: the last one that it sees unless `places` says another.
std::vector<std::int64_t> own_places(const py::object& places,
                                     const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> own = lengths;
  for (std::int64_t& place : own) --place;
  if (places.is_none()) return own;
  own = integers<std::int64_t>(places, "places");
  expect_equal(static_cast<std::int64_t>(own.size()), static_cast<std::int64_t>(lengths.size()),
               "places.shape[0]");
  return own;
}

py::tuple scaled_dot_attention(const FloatArray& query, const FloatArray& keys,
                               const FloatArray& values, const py::object& lengths,
                               std::optional<float> scale, float score_cap,
                               const std::optional<FloatArray>& position_bias,
                               const std::optional<FloatArray>& slopes,
                               const std::optional<FloatArray>& key_bias, const py::object& places,
                               bool need_weights, int num_threads) {
  check_heads(query, keys, values);
  const std::int64_t rows = query.shape(0), heads = query.shape(1), head_dim = query.shape(2);
  const std::int64_t positions = keys.shape(0), kv_heads = keys.shape(1);
  const auto seen = checked_lengths(lengths, rows, positions);
  const auto own = own_places(places, seen);
  std::vector<const float*> first_keys(positions);
  for (std::int64_t t = 0; t < positions; ++t)
    first_keys[t] = keys.data() + t * kv_heads * head_dim;
  const std::vector<const float* const*> table(rows, first_keys.data());

  FloatArray context({rows, heads, head_dim});
  FloatArray weights({rows, heads, need_weights ? positions : 0});
  const float factor = scale.value_or(1 / std::sqrt(static_cast<float>(head_dim)));
  const ScaledDotStep step{
      {query.data(), rows, heads * head_dim},
      table.data(),
      seen.data(),
      head_dim,
      values.data() - keys.data(),
      heads,
      kv_heads,
      head_dim,
      factor,
      {context.mutable_data(), rows, heads * head_dim},
      {need_weights ? weights.mutable_data() : nullptr, rows * heads, positions},
      0,
      score_cap,
      score_bias(position_bias, slopes, key_bias, heads, positions),
      own.data()};
  run_kernel(num_threads, [&] { kernels().scaled_dot_attention(step); });
  return py::make_tuple(context, weights);
}

FloatArray rotary(const FloatArray& x, const py::object& positions, const FloatArray& frequencies,
                  float factor, int num_threads) {
  expect_dimensions(x, 3, "x");
  const std::int64_t rows = x.shape(0), heads = x.shape(1), head_dim = x.shape(2);
  const auto at = integers<std::int64_t>(positions, "positions");
  expect_equal(static_cast<std::int64_t>(at.size()), rows, "positions.shape[0]");
  const Rotary turn(floats(frequencies, "frequencies"), factor);
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
        R"(query (rows, key_dim), keys (src, key_dim), values (src, value_dim), v (key_dim,).
Returns (context (rows, value_dim), weights (rows, src)).)");
  m.def("dot_attention", &dot_attention, "query"_a, "keys"_a, "values"_a, "num_threads"_a = 1,
        R"(query (rows, key_dim), keys (src, key_dim), values (src, value_dim).
Returns (context (rows, value_dim), weights (rows, src)).)");
  m.def("scaled_dot_attention", &scaled_dot_attention, "query"_a, "keys"_a, "values"_a,
        "lengths"_a = py::none(), "scale"_a = py::none(), "score_cap"_a = 0.0f,
        "position_bias"_a = py::none(), "slopes"_a = py::none(), "key_bias"_a = py::none(),
        "places"_a = py::none(), "need_weights"_a = true, "num_threads"_a = 1,
        R"(query (rows, heads, head_dim), keys and values (positions, kv_heads, head_dim).
Returns (context (rows, heads, head_dim), weights (rows, heads, positions); without
need_weights (rows, heads, 0)).)");
  m.def("rotary", &rotary, "x"_a, "positions"_a, "frequencies"_a, "factor"_a = 1.0f,
        "num_threads"_a = 1,
        "x (rows, heads, head_dim), positions (rows,), frequencies (half,); returns as x.");
}

}  // namespace attnengine
