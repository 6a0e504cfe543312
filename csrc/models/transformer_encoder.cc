#include <algorithm>
#include <cmath>
#include <string>

#include "core/expect.h"
#include "kernels/kernels.h"
#include "models/transformer.h"

namespace attnengine {
namespace {

void check_attention(const MultiHeadAttention& attention, std::int64_t size,
                     const std::string& name) {
  expect_equal(attention.query->in(), size, name + " query weight.shape[1]");
  expect_equal(attention.query->out(), size, name + " query weight.shape[0]");
  expect_equal(attention.key_value->in(), size, name + " key_value weight.shape[1]");
  expect_equal(attention.key_value->out(), 2 * size, name + " key_value weight.shape[0]");
  expect_equal(attention.output->in(), size, name + " output weight.shape[1]");
  expect_equal(attention.output->out(), size, name + " output weight.shape[0]");
  if (attention.num_heads < 1 || size % attention.num_heads != 0)
    throw InvalidArgument(name + " num_heads is " + std::to_string(attention.num_heads) +
                          ", expected a divisor of the hidden size " + std::to_string(size));
}

void check_layer(const TransformerLayer& layer, std::int64_t size, bool is_decoder) {
  check_attention(layer.self_attention, size, "self_attention");
  expect_equal(layer.self_attention_norm.norm->size(), size, "self_attention_norm size");
  if (is_decoder) {
    if (!layer.cross_attention.query || !layer.cross_attention_norm.norm)
      throw InvalidArgument("cross_attention or its norm is None, expected both in a decoder");
    check_attention(layer.cross_attention, size, "cross_attention");
    expect_equal(layer.cross_attention_norm.norm->size(), size, "cross_attention_norm size");
  }
  expect_equal(layer.feed_forward.up->in(), size, "feed_forward up weight.shape[1]");
  expect_equal(layer.feed_forward.down->in(), layer.feed_forward.up->out(),
               "feed_forward down weight.shape[1]");
  expect_equal(layer.feed_forward.down->out(), size, "feed_forward down weight.shape[0]");
  expect_equal(layer.feed_forward_norm.norm->size(), size, "feed_forward_norm size");
}

// Self-attention of whole sentences: every row sees all rows of its sentence.
struct SentenceAttention {
  explicit SentenceAttention(const Ragged& ragged, std::int64_t rows)
      : keys(rows), tables(rows), lengths(rows) {
    for (const Run& run : ragged.runs())
      for (std::int64_t row = run.first; row < run.first + run.length; ++row) {
        tables[row] = keys.data() + run.first;
        lengths[row] = run.length;
      }
  }

  void run(const MultiHeadAttention& attention, ConstMatrix x, Matrix out,
           TransformerScratch& scratch) {
    const std::int64_t size = x.cols;
    const Matrix query = scratch.query.matrix(x.rows, size);
    const Matrix key_value = scratch.key_value.matrix(x.rows, 2 * size);
    const Matrix context = scratch.context.matrix(x.rows, size);
    (*attention.query)(x, query);
    (*attention.key_value)(x, key_value);
    for (std::int64_t row = 0; row < x.rows; ++row) keys[row] = key_value[row];
    const std::int64_t head_dim = attention.head_dim();
    kernels().scaled_dot_attention({constant(query), tables.data(), lengths.data(), head_dim, size,
                                    attention.num_heads, attention.num_heads, head_dim,
                                    1 / std::sqrt(static_cast<float>(head_dim)), context,
                                    Matrix{}});
    (*attention.output)(constant(context), out);
  }

  std::vector<const float*> keys;           // (rows,) key of each row; its value is `hidden` after
  std::vector<const float* const*> tables;  // (rows,) the first key of the row's sentence
  std::vector<std::int64_t> lengths;        // (rows,)
};

}  // namespace

void TransformerStack::check_sizes(bool is_decoder) const {
  if (positions.empty() || std::int64_t(positions.size()) % hidden_size() != 0)
    throw InvalidArgument("positions.size is " + std::to_string(positions.size()) +
                          ", expected a multiple of the hidden size " +
                          std::to_string(hidden_size()));
  if (layers.empty()) throw InvalidArgument("layers is empty, expected at least one");
  for (const TransformerLayer& layer : layers) {
    check_layer(layer, hidden_size(), is_decoder);
    expect_equal(layer.self_attention.num_heads, layers.front().self_attention.num_heads,
                 "num_heads");
  }
  if (final_norm) expect_equal(final_norm->size(), hidden_size(), "final_norm size");
}

void TransformerStack::embed(std::int32_t token, std::int64_t position, float* x) const {
  const float* from = (*embedding)[token];
  const float* at = positions.data() + position * hidden_size();
  for (std::int64_t d = 0; d < hidden_size(); ++d) x[d] = from[d] * embedding_scale + at[d];
}

TransformerEncoder::TransformerEncoder(TransformerStack stack) : stack_(std::move(stack)) {
  stack_.check_sizes(/*is_decoder=*/false);
}

void TransformerEncoder::run(const std::int32_t* tokens, const Ragged& ragged,
                             Matrix states) const {
  for (const Run& run : ragged.runs()) {
    if (run.length > stack_.max_positions())
      throw InvalidArgument("lengths[" + std::to_string(run.index) + "] is " +
                            std::to_string(run.length) + ", expected at most " +
                            std::to_string(stack_.max_positions()));
    for (std::int64_t t = 0; t < run.length; ++t)
      stack_.embed(tokens[run.first + t], t, states[run.first + t]);
  }
  TransformerScratch scratch;
  SentenceAttention sentences(ragged, states.rows);
  for (const TransformerLayer& layer : stack_.layers) {
    residual(layer.self_attention_norm, states, scratch, [&](ConstMatrix x, Matrix out) {
      sentences.run(layer.self_attention, x, out, scratch);
    });
    feed_forward(layer.feed_forward, layer.feed_forward_norm, states, scratch);
  }
  if (stack_.final_norm) (*stack_.final_norm)(constant(states), states);
}

}  // namespace attnengine
