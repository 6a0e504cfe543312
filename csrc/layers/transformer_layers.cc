#include "layers/transformer_layers.h"

#include "core/expect.h"

namespace attnengine {

void BlockNorm::check(std::int64_t size, const std::string& name) const {
  for (const auto& norm : {before, inside, after})
    if (norm) expect_equal(norm->size(), size, name + " size");
}

void TransformerLayer::check(std::int64_t size) const {
  if (recurrence)
    recurrence->check(size);
  else
    self_attention.check(size, "self_attention");
  self_attention_norm.check(size, "self_attention_norm");
  feed_forward->check(size);
  feed_forward_norm.check(size, "feed_forward_norm");
  if (parallel && (cross_attention.query || self_attention_norm.after || feed_forward_norm.after))
    throw InvalidArgument(
        "a parallel layer has cross_attention or a norm after a block, expected neither");
  if (!cross_attention.query) return;
  cross_attention.check(size, "cross_attention");
  cross_attention_norm.check(size, "cross_attention_norm");
  const MultiHeadAttention& cross = cross_attention;
  if (cross.rotary || cross.position_bias || cross.window || cross.score_cap > 0 ||
      cross.query_norm || cross.key_norm)
    throw InvalidArgument(
        "cross_attention has a rotary, a position_bias, a window, a score_cap or norms, "
        "expected none");
}

}  // namespace attnengine
