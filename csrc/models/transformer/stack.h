#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "layers/embedding.h"
#include "layers/ragged.h"
#include "layers/transformer_layers.h"

namespace attnengine {

// What encoder and decoder share: embedding, positions, a stack of layers, a last norm.
struct TransformerStack {
  std::shared_ptr<const Embedding> embedding;  // null where rows come embedded
  std::vector<float> positions;  // (max_positions, embedding size) added to the embedding, or empty
  std::int64_t max_positions;    // 0: any length
  float embedding_scale;
  std::shared_ptr<const Norm> embedding_norm;  // or null
  std::shared_ptr<const Linear> projection;    // (hidden, embedding size), or null
  std::vector<TransformerLayer> layers;
  std::shared_ptr<const Norm> final_norm;  // or null

  std::int64_t embedding_size() const;
  std::int64_t hidden_size() const { return projection ? projection->out() : embedding_size(); }
  // Whether the layers have a recurrence instead of self-attention.
  bool recurrent() const { return layers.front().recurrence != nullptr; }
  // The key heads of one layer's self-attention, and of its cross-attention.
  PageHeads page_heads(CachePrecision precision) const {
    return layers.front().self_attention.page_heads(precision);
  }
  PageHeads source_heads(CachePrecision precision) const {
    return layers.front().cross_attention.page_heads(precision);
  }
  bool has_cross_attention() const { return layers.front().has_cross_attention(); }
  // Throws InvalidArgument when the sizes do not fit.
  void check_sizes() const;

  // tokens and positions (rows,) -> projection(norm(embedding * scale + position)) (rows, hidden),
  // which lies in the scratch
  Matrix embed(const std::int32_t* tokens, const std::int64_t* positions, std::int64_t rows,
               TransformerScratch& scratch) const;
  // Scratch for embeddings (rows, embedding size); `add_positions` makes them the layers' input,
  // projection(norm(x + position)) (rows, hidden).
  Matrix reserve(std::int64_t rows, TransformerScratch& scratch) const;
  Matrix add_positions(Matrix x, const std::int64_t* positions, TransformerScratch& scratch) const;
};

// Whole sentences through layers and last norm: a row sees its sentence, all of it or what is near.
//   embed   positions (rows,) -> x (rows, hidden), which lies in the scratch
//   states  (rows, hidden) of the last norm
using Embed = std::function<Matrix(const std::int64_t* positions, TransformerScratch& scratch)>;
void run_sentences(const TransformerStack& stack, const Ragged& ragged, const Embed& embed,
                   Matrix states, TransformerScratch& scratch);

}  // namespace attnengine
