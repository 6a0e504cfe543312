#include "layers/attention_score.h"

#include "core/expect.h"
#include "kernels/kernels.h"

namespace attnengine {

AttentionScore::AttentionScore(std::shared_ptr<const Linear> query,
                               std::shared_ptr<const Linear> key, std::vector<float> vector)
    : query_(std::move(query)), key_(std::move(key)), vector_(std::move(vector)) {}

void AttentionScore::check_sizes(std::int64_t hidden_size, std::int64_t encoder_size) const {
  if (query_) expect_equal(query_->in(), hidden_size, "attention query weight.shape[1]");
  if (key_) expect_equal(key_->in(), encoder_size, "attention key weight.shape[1]");
  const std::int64_t dim = key_dim(encoder_size);
  expect_equal(query_ ? query_->out() : hidden_size, dim, "size of the attention query");
  if (!vector_.empty())
    expect_equal(std::int64_t(vector_.size()), dim, "attention vector.shape[0]");
}

void AttentionScore::attend(ConstMatrix hidden, AttentionStep step, Buffer& scratch) const {
  step.query = hidden;
  if (query_) {
    const Matrix projected = scratch.matrix(hidden.rows, query_->out());
    (*query_)(hidden, projected);
    step.query = constant(projected);
  }
  if (vector_.empty())
    kernels().dot_attention(step);
  else
    kernels().additive_attention(step, vector_.data());
}

}  // namespace attnengine
