#pragma once

#include <memory>
#include <vector>

#include "layers/linear.h"

namespace attnengine {

class LayerNorm {
 public:
  // weight and bias (size,)
  LayerNorm(std::vector<float> weight, std::vector<float> bias, float eps);

  std::int64_t size() const { return static_cast<std::int64_t>(weight_.size()); }

  // x and y (rows, size), which may be the same
  void operator()(ConstMatrix x, Matrix y) const;

 private:
  std::vector<float> weight_;  // (size,)
  std::vector<float> bias_;    // (size,)
  float eps_;
};

// The four projections of attention with many heads; keys and values in one product.
struct MultiHeadAttention {
  std::shared_ptr<const Linear> query;      // (hidden, hidden)
  std::shared_ptr<const Linear> key_value;  // (2 * hidden, hidden)
  std::shared_ptr<const Linear> output;     // (hidden, hidden)
  std::int64_t num_heads;

  std::int64_t hidden_size() const { return query->in(); }
  std::int64_t head_dim() const { return query->out() / num_heads; }
};

struct FeedForward {
  std::shared_ptr<const Linear> up;    // (intermediate, hidden)
  std::shared_ptr<const Linear> down;  // (hidden, intermediate)
  Activation activation;
};

// The norm of a block: before it, on the way in, or after it, on the sum.
struct BlockNorm {
  std::shared_ptr<const LayerNorm> norm;
  bool before;
};

struct TransformerLayer {
  MultiHeadAttention self_attention;
  BlockNorm self_attention_norm;
  MultiHeadAttention cross_attention;  // of a decoder; otherwise empty
  BlockNorm cross_attention_norm;
  FeedForward feed_forward;
  BlockNorm feed_forward_norm;
};

// Scratch memory of a Transformer's step.
struct TransformerScratch {
  Buffer hidden, normed, block;      // (rows, hidden)
  Buffer query, key_value, context;  // (rows, hidden), (rows, 2 * hidden), (rows, hidden)
  Buffer intermediate;               // (rows, intermediate)
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
