#include "layers/attention_record.h"

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

Matrix attend(ScaledDotStep step, AttentionRecord* record) {
  if (record) step.weights = record->next(step.num_heads);
  kernels().scaled_dot_attention(step);
  return step.weights;
}

}  // namespace attnengine
