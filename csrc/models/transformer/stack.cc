#include "models/transformer/stack.h"

#include <algorithm>
#include <string>

#include "core/expect.h"
#include "core/parallel.h"
#include "models/transformer/sentence_attention.h"

namespace attnengine {

std::int64_t TransformerStack::embedding_size() const {
  if (embedding) return embedding->size();
  return projection ? projection->in() : layers.front().self_attention.output->out();
}

void TransformerStack::check_sizes() const {
  if (layers.empty()) throw InvalidArgument("layers is empty, expected at least one");
  if (!embedding && recurrent())
    throw InvalidArgument("a stack without an embedding has a recurrence, expected self_attention");
  if (max_positions < 0)
    throw InvalidArgument("max_positions is " + std::to_string(max_positions) +
                          ", expected 0 or more");
  if (!positions.empty()) {  // max_positions may be anything: nothing is multiplied by it
    const auto count = static_cast<std::int64_t>(positions.size());
    expect_equal(count % embedding_size(), 0, "positions.size modulo the embedding size");
    expect_equal(count / embedding_size(), max_positions, "positions.shape[0]");
  }
  if (embedding_norm) expect_equal(embedding_norm->size(), embedding_size(), "embedding_norm size");
  if (projection) expect_equal(projection->in(), embedding_size(), "projection weight.shape[1]");
  for (const TransformerLayer& layer : layers) {
    layer.check(hidden_size());
    if (const auto& bias = layer.self_attention.position_bias; bias && !bias->keys.empty())
      expect_equal(bias->positions, max_positions, "position_bias keys.shape[1]");
    if (!layer.recurrence == recurrent())
      throw InvalidArgument("some layers have a recurrence, expected all or none");
    if (!recurrent()) {
      expect_equal(layer.self_attention.head_dim(), layers.front().self_attention.head_dim(),
                   "head_dim of a later layer");
      expect_equal(layer.self_attention.num_kv_heads, layers.front().self_attention.num_kv_heads,
                   "num_kv_heads of a later layer");
    }
    if (layer.has_cross_attention() != has_cross_attention())
      throw InvalidArgument("some layers have cross-attention, expected all or none");
    if (has_cross_attention()) {  // a page of a source has the keys of all layers
      expect_equal(layer.cross_attention.key_value->out(),
                   layers.front().cross_attention.key_value->out(),
                   "cross_attention key_value weight.shape[0] of a later layer");
      expect_equal(layer.cross_attention.head_dim(), layers.front().cross_attention.head_dim(),
                   "cross_attention head_dim of a later layer");
    }
  }
  if (final_norm) expect_equal(final_norm->size(), hidden_size(), "final_norm size");
}

Matrix TransformerStack::embed(const std::int32_t* tokens, const std::int64_t* at,
                               std::int64_t rows, TransformerScratch& scratch) const {
  const Matrix x = reserve(rows, scratch);
  parallel_for(rows, x.cols, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      embedding->read(tokens[row], x[row]);
      for (std::int64_t d = 0; d < x.cols; ++d) x[row][d] *= embedding_scale;
    }
  });
  return add_positions(x, at, scratch);
}

Matrix TransformerStack::reserve(std::int64_t rows, TransformerScratch& scratch) const {
  return (projection ? scratch.embedded : scratch.hidden).matrix(rows, embedding_size());
}

Matrix TransformerStack::add_positions(Matrix x, const std::int64_t* at,
                                       TransformerScratch& scratch) const {
  for (std::int64_t row = 0; row < x.rows && !positions.empty(); ++row) {
    const float* position = positions.data() + at[row] * x.cols;
    for (std::int64_t d = 0; d < x.cols; ++d) x[row][d] += position[d];
  }
  if (embedding_norm) (*embedding_norm)(constant(x), x);
  if (!projection) return x;
  const Matrix hidden = scratch.hidden.matrix(x.rows, projection->out());
  (*projection)(constant(x), hidden);
  return hidden;
}

void run_sentences(const TransformerStack& stack, const Ragged& ragged, const Embed& embed,
                   Matrix states, TransformerScratch& scratch) {
  SentenceAttention sentences(ragged, states.rows, stack.page_heads(SentenceAttention::kCache),
                              scratch.attention.pages);
  scratch.attention.angles.start(sentences.positions(), states.rows);
  const Matrix x = embed(sentences.positions(), scratch);
  for (const TransformerLayer& layer : stack.layers) {
    const auto self_attention = [&](ConstMatrix in, Matrix out, bool add) {
      sentences.run(layer.self_attention, in, out, add, scratch.attention);
    };
    run_layer(layer, x, scratch, self_attention, self_attention);
  }
  if (stack.final_norm) (*stack.final_norm)(constant(x), x);
  std::copy_n(x.data, x.rows * x.cols, states.data);
}

}  // namespace attnengine
