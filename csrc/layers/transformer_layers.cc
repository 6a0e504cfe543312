#include "layers/transformer_layers.h"

#include "core/expect.h"

namespace attnengine {
namespace {

// Both blocks read the row before either is added to it: so it must be copied by a norm.
void check_parallel(const TransformerLayer& layer) {
  const BlockNorm &first = layer.self_attention_norm, &second = layer.feed_forward_norm;
  if (layer.has_cross_attention() || first.after || second.after)
    throw InvalidArgument(
        "a parallel layer has cross_attention or a norm after a block, expected neither");
  if (!first.before || !second.before)
    throw InvalidArgument("a parallel layer has a block without a norm before it, expected norms");
}

}  // namespace

void BlockNorm::check(std::int64_t size, const std::string& name) const {
  for (const auto& norm : {before, inside, after})
    if (norm) expect_equal(norm->size(), size, name + " size");
}

void TransformerLayer::check(std::int64_t size) const {
  if (recurrence)
    recurrence->check(size);
  else if (!self_attention.query_key_value)
    throw InvalidArgument("self_attention has query and key_value, expected query_key_value");
  else
    self_attention.check(size, "self_attention");
  self_attention_norm.check(size, "self_attention_norm");
  feed_forward->check(size);
  feed_forward_norm.check(size, "feed_forward_norm");
  if (parallel) check_parallel(*this);
  if (!has_cross_attention()) return;
  if (!cross_attention.query)
    throw InvalidArgument("cross_attention has query_key_value, expected query and key_value");
  cross_attention.check(size, "cross_attention");
  cross_attention_norm.check(size, "cross_attention_norm");
  const MultiHeadAttention& cross = cross_attention;
  if (cross.rotary || cross.position_bias || cross.window || cross.score_cap > 0 ||
      cross.clip > 0 || cross.query_norm || cross.key_norm)
    throw InvalidArgument(
        "cross_attention has a rotary, a position_bias, a window, a score_cap, a clip or norms, "
        "expected none");
}

}  // namespace attnengine
