#include <algorithm>
#include <string>

#include "core/expect.h"
#include "core/parallel.h"
#include "models/sentences.h"
#include "models/transformer.h"

namespace attnengine {
namespace {

// Self-attention of whole sentences: a row sees the rows of its sentence, all or those near it.
struct SentenceAttention {
  SentenceAttention(const Ragged& ragged, std::int64_t rows)
      : keys(rows), tables(rows), lengths(rows), places(rows), positions(rows), ragged_(ragged) {
    for (const Run& run : ragged.runs())
      for (std::int64_t t = 0; t < run.length; ++t) positions[run.first + t] = t;
  }

  void run(const MultiHeadAttention& attention, ConstMatrix x, Matrix out, bool add,
           AttentionScratch& scratch) {
    const Matrix projected = project(attention, x, scratch);
    const Matrix context = scratch.context.matrix(x.rows, attention.query_size());
    for (std::int64_t row = 0; row < x.rows; ++row)
      keys[row] = projected[row] + attention.query_size();
    look(attention.window);
    const std::int64_t head_dim = attention.head_dim();
    ScaledDotStep step{constant(projected),
                       tables.data(),
                       lengths.data(),
                       head_dim,
                       attention.key_size(),
                       attention.num_heads,
                       attention.num_kv_heads,
                       head_dim,
                       attention.scale,
                       context,
                       Matrix{}};
    step.score_cap = attention.score_cap;
    if (attention.position_bias) step.bias = attention.position_bias->view();
    step.places = places.data();
    attend(step, positions.data(), scratch.record);
    (*attention.output)(constant(context), out, Activation::kNone, add);
  }

  std::vector<const float*> keys;           // (rows,) key of each row; its value is key_size after
  std::vector<const float* const*> tables;  // (rows,) the first key that the row sees
  std::vector<std::int64_t> lengths;        // (rows,)
  std::vector<std::int64_t> places;         // (rows,) of the row in what it sees
  std::vector<std::int64_t> positions;      // (rows,) of the row in its sentence

 private:
  void look(std::int64_t window) {
    if (window == looked_) return;
    looked_ = window;
    for (const Run& run : ragged_.runs())
      for (std::int64_t t = 0; t < run.length; ++t) {
        const std::int64_t reach = window ? std::min(window, run.length) : run.length;
        const std::int64_t first = std::max<std::int64_t>(t - reach, 0);
        const std::int64_t end = std::min(t + reach + 1, run.length);
        tables[run.first + t] = keys.data() + run.first + first;
        lengths[run.first + t] = end - first;
        places[run.first + t] = t - first;
      }
  }

  const Ragged& ragged_;
  std::int64_t looked_ = -1;  // the window of the last `look`
};

}  // namespace

void run_sentences(const TransformerStack& stack, const Ragged& ragged, const Embed& embed,
                   Matrix states) {
  TransformerScratch scratch;
  SentenceAttention sentences(ragged, states.rows);
  scratch.attention.angles.start(sentences.positions.data(), states.rows);
  const Matrix x = embed(sentences.positions.data(), scratch);
  for (const TransformerLayer& layer : stack.layers) {
    const auto self_attention = [&](ConstMatrix in, Matrix out, bool add) {
      sentences.run(layer.self_attention, in, out, add, scratch.attention);
    };
    run_layer(layer, x, scratch, self_attention, self_attention);
  }
  if (stack.final_norm) (*stack.final_norm)(constant(x), x);
  std::copy_n(x.data, x.rows * x.cols, states.data);
}

TransformerEncoder::TransformerEncoder(TransformerStack stack, std::vector<float> pooling_query)
    : Encoder(std::move(pooling_query)), stack_(std::move(stack)) {
  if (!stack_.embedding) throw InvalidArgument("embedding is None, expected that of the tokens");
  stack_.check_sizes();
  if (stack_.has_cross_attention())
    throw InvalidArgument("a layer of the encoder has cross_attention, expected none");
  if (stack_.recurrent())
    throw InvalidArgument("a layer of the encoder has a recurrence, expected self_attention");
  check_pooling_query();
}

AttentionRecord TransformerEncoder::attentions(const std::int32_t* tokens,
                                               std::int64_t rows) const {
  const Ragged ragged = checked_sentences(tokens, rows, &rows, 1, vocab_size(), max_positions());
  const ThreadScope threads(num_threads());
  Buffer states;
  AttentionRecord record;
  record.start(rows, rows);
  run(tokens, ragged, states.matrix(rows, output_size()), &record);
  return record;
}

void TransformerEncoder::run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
                             AttentionRecord* record) const {
  const auto embed = [&](const std::int64_t* positions, TransformerScratch& scratch) {
    scratch.attention.record = record;
    return stack_.embed(tokens, positions, states.rows, scratch);
  };
  run_sentences(stack_, ragged, embed, states);
}

void TransformerEncoder::run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
                             Matrix last) const {
  run(tokens, ragged, states);
  for (const Run& run : ragged.runs())
    std::copy_n(states[run.first + run.length - 1], states.cols, last[run.index]);
}

}  // namespace attnengine
