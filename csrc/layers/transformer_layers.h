#pragma once

#include <memory>
#include <vector>

#include "layers/linear.h"
#include "layers/norm.h"
#include "layers/rotary.h"

namespace attnengine {

// The projections of attention with many heads; keys and values in one product. Several query heads
// may share a key/value head.
struct MultiHeadAttention {
  std::shared_ptr<const Linear> query;      // (num_heads * head_dim, hidden)
  std::shared_ptr<const Linear> key_value;  // (2 * num_kv_heads * head_dim, hidden)
  std::shared_ptr<const Linear> output;     // (hidden, num_heads * head_dim)
  std::int64_t num_heads = 1;
  std::int64_t num_kv_heads = 1;
  std::shared_ptr<const Rotary> rotary;  // or null

  std::int64_t head_dim() const { return query->out() / num_heads; }
  std::int64_t key_size() const { return num_kv_heads * head_dim(); }
  float scale() const;  // of the scores
};

struct FeedForward {
  std::shared_ptr<const Linear> up;    // (intermediate, hidden); gated: (2 * intermediate, hidden),
                                       // the gate's outputs first
  std::shared_ptr<const Linear> down;  // (hidden, intermediate)
  Activation activation;               // of the gate, where there is one
  bool gated;
};

// The norm of a block: before it, on the way in, or after it, on the sum.
struct BlockNorm {
  std::shared_ptr<const Norm> norm;
  bool before;
};

struct TransformerLayer {
  MultiHeadAttention self_attention;
  BlockNorm self_attention_norm;
  MultiHeadAttention cross_attention;  // of a decoder with a source; otherwise empty
  BlockNorm cross_attention_norm;
  FeedForward feed_forward;
  BlockNorm feed_forward_norm;
};

// Scratch memory of a Transformer's step.
struct TransformerScratch {
  Buffer hidden, normed, block;      // (rows, hidden)
  Buffer query, key_value, context;  // (rows, heads * head_dim), (rows, 2 * key_size), as query
  Buffer intermediate, gate;         // (rows, outputs of up), (rows, intermediate)
};

// x = x + block(norm(x)), or x = norm(x + block(x)); block(in (rows, hidden), out (rows, hidden)).
template <class Block>
void residual(const BlockNorm& norm, Matrix x, TransformerScratch& scratch, const Block& block) {
  Matrix in = x;
  if (norm.before) {
    in = scratch.normed.matrix(x.rows, x.cols);
    (*norm.norm)(constant(x), in);
  }
  const Matrix out = scratch.block.matrix(x.rows, x.cols);
  block(constant(in), out);
  for (std::int64_t i = 0; i < x.rows * x.cols; ++i) x.data[i] += out.data[i];
  if (!norm.before) (*norm.norm)(constant(x), x);
}

// x (rows, hidden) in place.
void feed_forward(const FeedForward& layer, const BlockNorm& norm, Matrix x,
                  TransformerScratch& scratch);

}  // namespace attnengine
