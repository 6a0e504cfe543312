#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "bindings/bind.h"
#include "bindings/choices.h"
#include "bindings/kernel_call.h"
#include "core/buffer.h"
#include "kernels/kernels.h"

namespace attnengine {
namespace {

// Returns the lengths (rows,), or `positions` for every row if they are None. Throws
// InvalidArgument unless each is from 1 to `positions`.
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

// Returns the first position of each row, (rows,), or 0 for every row if they are None. Throws
// InvalidArgument unless each is below the row's length.
std::vector<std::int64_t> checked_begins(const py::object& begins,
                                         const std::vector<std::int64_t>& lengths) {
  if (begins.is_none()) return std::vector<std::int64_t>(lengths.size(), 0);
  const auto given = integers<std::int64_t>(begins, "begins");
  expect_equal(std::int64_t(given.size()), std::int64_t(lengths.size()), "begins.shape[0]");
  for (std::size_t i = 0; i < given.size(); ++i)
    if (given[i] < 0 || given[i] >= lengths[i])
      throw InvalidArgument("begins[" + std::to_string(i) + "] is " + std::to_string(given[i]) +
                            ", expected 0 to " + std::to_string(lengths[i] - 1));
  return given;
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

// Returns the position of each row's query, (rows,); by default the last position that it sees.
std::vector<std::int64_t> own_places(const py::object& places,
                                     const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> own = lengths;
  for (std::int64_t& position : own) --position;
  if (places.is_none()) return own;
  own = integers<std::int64_t>(places, "places");
  expect_equal(static_cast<std::int64_t>(own.size()), static_cast<std::int64_t>(lengths.size()),
               "places.shape[0]");
  return own;
}

// The keys and values of one sequence in pages, for many attention steps.
class KeyValuePages {
 public:
  KeyValuePages(const FloatArray& keys, const FloatArray& values, const std::string& precision) {
    expect_dimensions(keys, 3, "keys");
    expect_dimensions(values, 3, "values");
    for (int i = 0; i < 3; ++i)
      expect_equal(values.shape(i), keys.shape(i), "values.shape[" + std::to_string(i) + "]");
    for (int i = 0; i < 3; ++i)
      if (keys.shape(i) == 0)
        throw InvalidArgument("keys.shape[" + std::to_string(i) + "] is 0, expected at least 1");
    positions_ = keys.shape(0);
    heads_ = {keys.shape(1), keys.shape(2), cache_precision_of(precision)};
    store(keys.data(), values.data());
  }

  py::tuple attend(const FloatArray& query, const py::object& lengths, const py::object& begins,
                   std::optional<float> scale, float score_cap,
                   const std::optional<FloatArray>& position_bias,
                   const std::optional<FloatArray>& slopes,
                   const std::optional<FloatArray>& key_bias, const py::object& places,
                   bool need_weights, int num_threads) const {
    check_query(query);
    const std::int64_t rows = query.shape(0), heads = query.shape(1),
                       width = heads * query.shape(2);
    const auto seen = visible_ranges(rows, lengths, begins, places);
    FloatArray context({rows, heads, heads_.head_dim});
    FloatArray weights({rows, heads, need_weights ? positions_ : 0});
    ScaledDotStep step{{query.data(), rows, width},
                       seen.data(),
                       /*page_offset=*/0,
                       heads,
                       heads_,
                       scale.value_or(1 / std::sqrt(static_cast<float>(heads_.head_dim))),
                       {context.mutable_data(), rows, width}};
    if (need_weights) step.weights = {weights.mutable_data(), rows * heads, positions_};
    step.score_cap = score_cap;
    step.bias = score_bias(position_bias, slopes, key_bias, heads, positions_);
    run_kernel(num_threads, [&] { kernels().scaled_dot_attention(step); });
    return py::make_tuple(context, weights);
  }

 private:
  void store(const float* keys, const float* values) {
    const std::int64_t count = pages_of(positions_), width = heads_.count * heads_.head_dim;
    std::byte* first = buffer_.bytes(count * heads_.bytes());
    for (std::int64_t page = 0; page < count; ++page)
      pages_.push_back(first + page * heads_.bytes());
    std::vector<PageCell> cells;
    Buffer both;  // (positions, 2 * width)
    const Matrix rows = both.matrix(positions_, 2 * width);
    for (std::int64_t t = 0; t < positions_; ++t) {
      cells.push_back({first + t / kPage * heads_.bytes(), t % kPage});
      std::copy_n(keys + t * width, width, rows[t]);
      std::copy_n(values + t * width, width, rows[t] + width);
    }
    kernels().store_keys_values(constant(rows), heads_, cells.data(), 0);
  }

  void check_query(const FloatArray& query) const {
    expect_dimensions(query, 3, "query");
    expect_equal(heads_.head_dim, query.shape(2), "keys.shape[2]");
    if (query.shape(1) == 0 || query.shape(1) % heads_.count != 0)
      throw InvalidArgument("keys.shape[1] is " + std::to_string(heads_.count) +
                            ", expected a divisor of query.shape[1], " +
                            std::to_string(query.shape(1)));
  }

  std::vector<VisibleRange> visible_ranges(std::int64_t rows, const py::object& lengths,
                                           const py::object& begins,
                                           const py::object& places) const {
    const auto ends = checked_lengths(lengths, rows, positions_);
    const auto firsts = checked_begins(begins, ends);
    const auto own = own_places(places, ends);
    std::vector<VisibleRange> seen;
    for (std::int64_t row = 0; row < rows; ++row)
      seen.push_back({pages_.data(), firsts[row], ends[row], own[row]});
    return seen;
  }

  std::int64_t positions_;
  PageHeads heads_;
  Buffer buffer_;                        // (pages, heads_.bytes())
  std::vector<const std::byte*> pages_;  // pointers into buffer_
};

}  // namespace

void bind_key_value_pages(py::module_& m) {
  py::class_<KeyValuePages>(m, "KeyValuePages", R"(Keys and values of one sequence, stored once.

keys and values (positions, kv_heads, head_dim). cache_precision "float32" stores them exactly.
"float16" rounds half to even and limits finite numbers to 65504. "int8" scales each head at each
position so that the largest magnitude is 127, and rounds half to even.)")
      .def(py::init<const FloatArray&, const FloatArray&, const std::string&>(), "keys"_a,
           "values"_a, py::kw_only(), "cache_precision"_a = "float32")
      .def("attend", &KeyValuePages::attend, "query"_a, "lengths"_a = py::none(), py::kw_only(),
           "begins"_a = py::none(), "scale"_a = py::none(), "score_cap"_a = 0.0f,
           "position_bias"_a = py::none(), "slopes"_a = py::none(), "key_bias"_a = py::none(),
           "places"_a = py::none(), "need_weights"_a = true, "num_threads"_a = 1,
           R"(Scaled dot-product attention (Vaswani et al. 2017).

query (rows, heads, head_dim); row r sees positions begins[r] to lengths[r] - 1. scale None:
1 / sqrt(head_dim). score_cap above 0: score_cap * tanh(score / score_cap).
position_bias (heads, 2 * reach + 1) and slopes (heads,) bias scores by distance from the query's
position places[r]; key_bias (heads, positions) by the key.
Returns (context (rows, heads, head_dim), weights (rows, heads, positions)); without need_weights
the weights are (rows, heads, 0). Raises InvalidArgument for other shapes and positions.)");
}

}  // namespace attnengine
