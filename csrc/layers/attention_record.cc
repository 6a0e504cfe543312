#include "layers/attention_record.h"

#include <algorithm>

#include "core/expect.h"
#include "kernels/kernels.h"

namespace attnengine {

void AttentionRecord::start(std::int64_t rows, std::int64_t keys) {
  weights_.clear();
  rows_ = rows;
  heads_ = 0;
  keys_ = keys;
}

std::int64_t AttentionRecord::attentions() const {
  const std::int64_t size = rows_ * heads_ * keys_;
  return size ? static_cast<std::int64_t>(weights_.size()) / size : 0;
}

Matrix AttentionRecord::next(std::int64_t heads) {
  if (!weights_.empty()) expect_equal(heads, heads_, "num_heads of a later layer");
  heads_ = heads;
  const std::size_t before = weights_.size();
  weights_.resize(before + rows_ * heads * keys_);
  return {weights_.data() + before, rows_ * heads, keys_};
}

Matrix attend(ScaledDotStep step, const std::int64_t* positions, AttentionRecord* record) {
  if (record) step.weights = record->next(step.num_heads);
  kernels().scaled_dot_attention(step);
  if (!record || !positions) return step.weights;
  for (std::int64_t row = 0; row < step.query.rows; ++row) {
    const std::int64_t first = positions[row] - step.places[row];  // of the keys that it sees
    for (std::int64_t head = 0; head < step.num_heads; ++head) {
      float* weights = step.weights[row * step.num_heads + head];
      std::copy_backward(weights, weights + step.weights.cols - first, weights + step.weights.cols);
      std::fill_n(weights, first, 0.0f);
    }
  }
  return step.weights;
}

}  // namespace attnengine
