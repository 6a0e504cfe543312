#include "layers/multi_head_attention.h"

#include <algorithm>

#include "core/expect.h"
#include "kernels/kernels.h"

namespace attnengine {
namespace {

void expect_divisor(std::int64_t value, std::int64_t whole, const std::string& name) {
  if (value < 1 || whole % value != 0)
    throw InvalidArgument(name + " is " + std::to_string(value) + ", expected a divisor of " +
                          std::to_string(whole));
}

void check_norm(const std::shared_ptr<const Norm>& norm, std::int64_t head_dim, std::int64_t width,
                const std::string& name) {
  if (norm && norm->size() != head_dim) expect_equal(norm->size(), width, name + " size");
}

// Normalises the first `width` of the columns that x begins with, all together or `norm.size()` at
// a time.
void normalise(const Norm& norm, Matrix x, std::int64_t width, Buffer& buffer) {
  const Matrix rows = buffer.matrix(x.rows, width);
  for (std::int64_t row = 0; row < x.rows; ++row) std::copy_n(x[row], width, rows[row]);
  const Matrix heads{rows.data, x.rows * width / norm.size(), norm.size()};
  norm(constant(heads), heads);
  for (std::int64_t row = 0; row < x.rows; ++row) std::copy_n(rows[row], width, x[row]);
}

void check_bias(const PositionBias& bias, std::int64_t num_heads, const std::string& name) {
  const auto table = static_cast<std::int64_t>(bias.table.size());
  const auto slopes = static_cast<std::int64_t>(bias.slopes.size());
  const auto keys = static_cast<std::int64_t>(bias.keys.size());
  if (table) expect_equal(table, num_heads * (2 * bias.reach + 1), name + " table.size");
  if (slopes) expect_equal(slopes, num_heads, name + " slopes.shape[0]");
  if (keys) expect_equal(keys, num_heads * bias.positions, name + " keys.size");
}

}  // namespace

ScoreBias PositionBias::view() const {
  const auto data = [](const std::vector<float>& v) { return v.empty() ? nullptr : v.data(); };
  return {data(table), reach, data(slopes), data(keys), positions};
}

void MultiHeadAttention::check(std::int64_t size, const std::string& name) const {
  expect_divisor(num_heads, query_size(), name + " num_heads");
  expect_divisor(num_kv_heads, num_heads, name + " num_kv_heads");
  const auto expect_shape = [&](const Linear& linear, std::int64_t out, const std::string& part) {
    expect_equal(linear.in(), size, name + part + " weight.shape[1]");
    expect_equal(linear.out(), out, name + part + " weight.shape[0]");
  };
  if (query_key_value) {
    expect_shape(*query_key_value, query_size() + 2 * key_size(), " query_key_value");
  } else {
    expect_shape(*query, query_size(), " query");
    expect_shape(*key_value, 2 * key_size(), " key_value");
  }
  expect_equal(output->out(), size, name + " output weight.shape[0]");
  check_norm(query_norm, head_dim(), query_size(), name + " query_norm");
  check_norm(key_norm, head_dim(), key_size(), name + " key_norm");
  if (window < 0)
    throw InvalidArgument(name + " window is " + std::to_string(window) + ", expected 0 or more");
  if (!(score_cap >= 0 && clip >= 0))
    throw InvalidArgument(name + " score_cap and clip are " + std::to_string(score_cap) + " and " +
                          std::to_string(clip) + ", expected 0 or more");
  if (rotary && 2 * rotary->half() > head_dim())
    throw InvalidArgument(name + " rotary turns " + std::to_string(2 * rotary->half()) +
                          " dimensions, expected at most the head_dim " +
                          std::to_string(head_dim()));
  if (!position_bias) return;
  check_bias(*position_bias, num_heads, name);
  if (window && !position_bias->keys.empty())
    throw InvalidArgument(name + " has a bias of keys and a window, expected one of both");
}

void Angles::start(const std::int64_t* positions, std::int64_t rows) {
  positions_ = positions;
  rows_ = rows;
  used_ = 0;
}

const Angles::Table& Angles::of(const Rotary& rotary) {
  for (std::size_t i = 0; i < used_; ++i)
    if (tables_[i].rotary == &rotary) return tables_[i];
  if (used_ == tables_.size()) tables_.emplace_back();
  Table& table = tables_[used_++];
  table.rotary = &rotary;
  table.cosines = table.cosine_buffer.matrix(rows_, rotary.half());
  table.sines = table.sine_buffer.matrix(rows_, rotary.half());
  rotary.angles(positions_, table.cosines, table.sines);
  return table;
}

Matrix project(const MultiHeadAttention& attention, ConstMatrix x, AttentionScratch& scratch) {
  const Matrix all = scratch.projected.matrix(x.rows, attention.query_key_value->out());
  const std::int64_t query_size = attention.query_size();
  (*attention.query_key_value)(x, all);
  if (attention.clip > 0) kernels().clip(attention.clip, all);
  if (attention.query_norm) normalise(*attention.query_norm, all, query_size, scratch.heads);
  if (attention.key_norm)
    normalise(*attention.key_norm, columns_from(all, query_size), attention.key_size(),
              scratch.heads);
  if (attention.rotary) {
    const Angles::Table& angles = scratch.angles.of(*attention.rotary);
    kernels().rotary({all, constant(angles.cosines), constant(angles.sines),
                      attention.num_heads + attention.num_kv_heads, attention.head_dim()});
  }
  return all;
}

}  // namespace attnengine
