#pragma once

#include <memory>

#include "core/buffer.h"
#include "layers/feed_forward.h"
#include "layers/multi_head_attention.h"
#include "layers/recurrence.h"

namespace attnengine {

// The norms of a block: before it, on the way in; inside, on what it gives; after it, on the sum.
// Each may be null.
struct BlockNorm {
  std::shared_ptr<const Norm> before, inside, after;

  // Throws InvalidArgument, naming the norm, when one is not of `size`.
  void check(std::int64_t size, const std::string& name) const;
};

struct TransformerLayer {
  MultiHeadAttention self_attention;
  BlockNorm self_attention_norm;
  std::shared_ptr<const FeedForwardBlock> feed_forward;
  BlockNorm feed_forward_norm;
  MultiHeadAttention cross_attention;  // of a decoder with a source; otherwise empty
  BlockNorm cross_attention_norm;
  std::shared_ptr<const Recurrence> recurrence;  // in the place of self_attention; or null
  bool parallel = false;  // attention and feed-forward read the same and are added together

  // Throws InvalidArgument when the sizes do not fit rows of `size`.
  void check(std::int64_t size) const;
};

// Scratch memory of a Transformer's step.
struct TransformerScratch {
  Buffer hidden, embedded, normed, block, other;  // (rows, hidden or embedding size)
  AttentionScratch attention;
  FeedForwardScratch feed_forward;
  RecurrenceScratch recurrence;
};

// out = inside(block(before(x))); block(in (rows, hidden), out (rows, hidden))
template <class Block>
Matrix run_block(const BlockNorm& norm, ConstMatrix x, Buffer& normed, Buffer& block_buffer,
                 const Block& block) {
  const Matrix out = block_buffer.matrix(x.rows, x.cols);
  if (norm.before) {
    const Matrix in = normed.matrix(x.rows, x.cols);
    (*norm.before)(x, in);
    x = constant(in);
  }
  block(x, out);
  if (norm.inside) (*norm.inside)(constant(out), out);
  return out;
}

inline void add(ConstMatrix x, Matrix sum) {
  for (std::int64_t i = 0; i < x.rows * x.cols; ++i) sum.data[i] += x.data[i];
}

// x = after(x + inside(block(before(x))))
template <class Block>
void residual(const BlockNorm& norm, Matrix x, TransformerScratch& scratch, const Block& block) {
  add(constant(run_block(norm, constant(x), scratch.normed, scratch.block, block)), x);
  if (norm.after) (*norm.after)(constant(x), x);
}

// One layer on x (rows, hidden), in place; the blocks as in `run_block`. `cross` runs where the
// layer has cross-attention.
template <class SelfAttention, class CrossAttention>
void run_layer(const TransformerLayer& layer, Matrix x, TransformerScratch& scratch,
               const SelfAttention& self_attention, const CrossAttention& cross_attention) {
  const auto feed_forward = [&](ConstMatrix in, Matrix out) {
    layer.feed_forward->run(in, out, scratch.feed_forward);
  };
  if (layer.parallel) {
    const Matrix attended = run_block(layer.self_attention_norm, constant(x), scratch.normed,
                                      scratch.block, self_attention);
    const Matrix fed = run_block(layer.feed_forward_norm, constant(x), scratch.normed,
                                 scratch.other, feed_forward);
    add(constant(fed), attended);
    add(constant(attended), x);
    return;
  }
  residual(layer.self_attention_norm, x, scratch, self_attention);
  if (layer.cross_attention.query)
    residual(layer.cross_attention_norm, x, scratch, cross_attention);
  residual(layer.feed_forward_norm, x, scratch, feed_forward);
}

}  // namespace attnengine
