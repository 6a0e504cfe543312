#include <algorithm>
#include <string>

#include "core/expect.h"
#include "kernels/kernels.h"
#include "models/transformer.h"

namespace attnengine {
namespace {

void expect_divisor(std::int64_t value, std::int64_t whole, const std::string& name) {
  if (value < 1 || whole % value != 0)
    throw InvalidArgument(name + " is " + std::to_string(value) + ", expected a divisor of " +
                          std::to_string(whole));
}

void check_attention(const MultiHeadAttention& attention, std::int64_t size,
                     const std::string& name) {
  expect_divisor(attention.num_heads, attention.query->out(), name + " num_heads");
  expect_divisor(attention.num_kv_heads, attention.num_heads, name + " num_kv_heads");
  expect_equal(attention.query->in(), size, name + " query weight.shape[1]");
  expect_equal(attention.key_value->in(), size, name + " key_value weight.shape[1]");
  expect_equal(attention.key_value->out(), 2 * attention.key_size(),
               name + " key_value weight.shape[0]");
  expect_equal(attention.output->in(), attention.query->out(), name + " output weight.shape[1]");
  expect_equal(attention.output->out(), size, name + " output weight.shape[0]");
  if (attention.rotary && 2 * attention.rotary->half() > attention.head_dim())
    throw InvalidArgument(name + " rotary turns " + std::to_string(2 * attention.rotary->half()) +
                          " dimensions, expected at most the head_dim " +
                          std::to_string(attention.head_dim()));
}

void check_layer(const TransformerLayer& layer, std::int64_t size) {
  check_attention(layer.self_attention, size, "self_attention");
  expect_equal(layer.self_attention_norm.norm->size(), size, "self_attention_norm size");
  if (!layer.cross_attention.query != !layer.cross_attention_norm.norm)
    throw InvalidArgument("cross_attention or its norm is None, expected both or neither");
  if (layer.cross_attention.query) {
    check_attention(layer.cross_attention, size, "cross_attention");
    expect_equal(layer.cross_attention_norm.norm->size(), size, "cross_attention_norm size");
    if (layer.cross_attention.rotary)
      throw InvalidArgument("cross_attention has a rotary, expected None");
  }
  expect_equal(layer.feed_forward.up->in(), size, "feed_forward up weight.shape[1]");
  const std::int64_t parts = layer.feed_forward.gated ? 2 : 1;
  expect_equal(layer.feed_forward.up->out(), parts * layer.feed_forward.down->in(),
               "feed_forward up weight.shape[0]");
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
    const Matrix query = scratch.query.matrix(x.rows, attention.query->out());
    const Matrix key_value = scratch.key_value.matrix(x.rows, attention.key_value->out());
    const Matrix context = scratch.context.matrix(x.rows, query.cols);
    (*attention.query)(x, query);
    (*attention.key_value)(x, key_value);
    for (std::int64_t row = 0; row < x.rows; ++row) keys[row] = key_value[row];
    const std::int64_t head_dim = attention.head_dim();
    kernels().scaled_dot_attention({constant(query), tables.data(), lengths.data(), head_dim,
                                    attention.key_size(), attention.num_heads,
                                    attention.num_kv_heads, head_dim, attention.scale(), context,
                                    Matrix{}});
    (*attention.output)(constant(context), out);
  }

  std::vector<const float*> keys;           // (rows,) key of each row; its value is key_size after
  std::vector<const float* const*> tables;  // (rows,) the first key of the row's sentence
  std::vector<std::int64_t> lengths;        // (rows,)
};

}  // namespace

void TransformerStack::check_sizes() const {
  if (max_positions < 1)
    throw InvalidArgument("max_positions is " + std::to_string(max_positions) +
                          ", expected at least 1");
  if (!positions.empty())
    expect_equal(static_cast<std::int64_t>(positions.size()), max_positions * hidden_size(),
                 "positions.size");
  if (layers.empty()) throw InvalidArgument("layers is empty, expected at least one");
  for (const TransformerLayer& layer : layers) {
    check_layer(layer, hidden_size());
    expect_equal(layer.self_attention.head_dim(), head_dim(), "head_dim of a later layer");
    expect_equal(layer.self_attention.key_size(), key_size(), "key size of a later layer");
    if (!layer.cross_attention.query == has_cross_attention())
      throw InvalidArgument("some layers have cross-attention, expected all or none");
    if (has_cross_attention())  // a source has the keys of all layers in one block
      expect_equal(layer.cross_attention.key_value->out(),
                   layers.front().cross_attention.key_value->out(),
                   "cross_attention key_value weight.shape[0] of a later layer");
  }
  if (final_norm) expect_equal(final_norm->size(), hidden_size(), "final_norm size");
}

void TransformerStack::embed(std::int32_t token, std::int64_t position, float* x) const {
  const float* from = (*embedding)[token];
  for (std::int64_t d = 0; d < hidden_size(); ++d) x[d] = from[d] * embedding_scale;
  if (positions.empty()) return;
  const float* at = positions.data() + position * hidden_size();
  for (std::int64_t d = 0; d < hidden_size(); ++d) x[d] += at[d];
}

TransformerEncoder::TransformerEncoder(TransformerStack stack) : stack_(std::move(stack)) {
  stack_.check_sizes();
  if (stack_.has_cross_attention())
    throw InvalidArgument("a layer of the encoder has cross_attention, expected none");
  for (const TransformerLayer& layer : stack_.layers)
    if (layer.self_attention.rotary)
      throw InvalidArgument("a layer of the encoder has a rotary, expected none");
}

void TransformerEncoder::run(const std::int32_t* tokens, const Ragged& ragged,
                             Matrix states) const {
  for (const Run& run : ragged.runs()) {
    if (run.length > stack_.max_positions)
      throw InvalidArgument("lengths[" + std::to_string(run.index) + "] is " +
                            std::to_string(run.length) + ", expected at most " +
                            std::to_string(stack_.max_positions));
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
