#include "models/encoder.h"

#include "core/expect.h"
#include "core/parallel.h"
#include "models/sentences.h"

namespace attnengine {

void Encoder::check_pooling_query() const {
  if (!pooling_query_.empty())
    expect_equal(std::int64_t(pooling_query_.size()), output_size(), "pooling_query.shape[0]");
}

void Encoder::check_pooling(Pooling pooling) const {
  if (pooling == Pooling::kAttention && pooling_query_.empty())
    throw InvalidArgument("pooling is \"attention\", expected a model with a pooling query");
}

void Encoder::hidden_states(const std::int32_t* tokens, std::int64_t rows,
                            const std::int64_t* lengths, std::int64_t sentences,
                            Matrix states) const {
  const Ragged ragged =
      checked_sentences(tokens, rows, lengths, sentences, vocab_size(), max_positions());
  const ThreadScope threads(num_threads());
  Buffer last;
  run(tokens, ragged, states, last.matrix(sentences, output_size()));
}

void Encoder::encode(const std::int32_t* tokens, std::int64_t rows, const std::int64_t* lengths,
                     std::int64_t sentences, Pooling pooling, Matrix pooled) const {
  check_pooling(pooling);
  const Ragged ragged =
      checked_sentences(tokens, rows, lengths, sentences, vocab_size(), max_positions());
  const ThreadScope threads(num_threads());
  encode(tokens, ragged, pooling, pooled);
}

void Encoder::encode(const std::int32_t* tokens, const Ragged& ragged, Pooling pooling,
                     Matrix pooled) const {
  std::int64_t rows = 0;
  for (const RowRange& range : ragged.ranges()) rows += range.length;
  Buffer states_buffer, last_buffer;
  const Matrix states = states_buffer.matrix(rows, output_size());
  const Matrix last = last_buffer.matrix(ragged.count(), output_size());
  run(tokens, ragged, states, last);
  pool(pooling, ragged, constant(states), last.data, pooling_query_.data(), pooled);
}

}  // namespace attnengine
