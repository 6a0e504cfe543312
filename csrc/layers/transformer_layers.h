#pragma once

#include <memory>

#include "core/buffer.h"
#include "layers/columns.h"
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
  std::shared_ptr<const Recurrence> recurrence;  // instead of self_attention; or null
  bool parallel = false;  // attention and feed-forward read the same and are added together

  bool has_cross_attention() const { return cross_attention.output != nullptr; }
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

// before(x), which lies in `normed`, or x itself: what a block reads.
inline ConstMatrix block_input(const BlockNorm& norm, ConstMatrix x, Buffer& normed) {
  if (!norm.before) return x;
  const Matrix in = normed.matrix(x.rows, x.cols);
  (*norm.before)(x, in);
  return constant(in);
}

// x += inside(block(in)); block(in (rows, hidden), out (rows, hidden), add) writes to out or adds.
template <class Block>
void add_block(const BlockNorm& norm, ConstMatrix in, Matrix x, Buffer& block_buffer,
               const Block& block) {
  if (!norm.inside) return block(in, x, /*add=*/true);
  const Matrix out = block_buffer.matrix(x.rows, x.cols);
  block(in, out, /*add=*/false);
  (*norm.inside)(constant(out), out);
  attnengine::add(constant(out), x);
}

// x = after(x + inside(block(before(x))))
template <class Block>
void residual(const BlockNorm& norm, Matrix x, TransformerScratch& scratch, const Block& block) {
  const ConstMatrix in = block_input(norm, constant(x), scratch.normed);
  add_block(norm, in, x, scratch.block, block);
  if (norm.after) (*norm.after)(constant(x), x);
}

// One layer on x (rows, hidden), in place; the blocks as in `add_block`. `cross_attention` runs
// where the layer has one.
template <class SelfAttention, class CrossAttention>
void run_layer(const TransformerLayer& layer, Matrix x, TransformerScratch& scratch,
               const SelfAttention& self_attention, const CrossAttention& cross_attention) {
  const auto feed_forward = [&](ConstMatrix in, Matrix out, bool add) {
    layer.feed_forward->run(in, out, add, scratch.feed_forward);
  };
  if (layer.parallel) {
    const BlockNorm &first = layer.self_attention_norm, &second = layer.feed_forward_norm;
    const ConstMatrix attended = block_input(first, constant(x), scratch.normed);
    const ConstMatrix fed =
        first.before == second.before ? attended : block_input(second, constant(x), scratch.other);
    add_block(first, attended, x, scratch.block, self_attention);
    add_block(second, fed, x, scratch.block, feed_forward);
    return;
  }
  residual(layer.self_attention_norm, x, scratch, self_attention);
  if (layer.has_cross_attention())
    residual(layer.cross_attention_norm, x, scratch, cross_attention);
  residual(layer.feed_forward_norm, x, scratch, feed_forward);
}

}  // namespace attnengine
