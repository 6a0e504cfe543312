#include "models/seq2seq.h"

#include "core/parallel.h"
#include "models/sentences.h"

namespace attnengine {

Encoded Seq2Seq::encode(const std::int32_t* tokens, std::int64_t rows, const std::int64_t* lengths,
                        std::int64_t sentences) const {
  const Ragged ragged = checked_sentences(tokens, rows, lengths, sentences, source_vocab_size(),
                                          max_source_positions());
  const ThreadScope threads(num_threads());
  return {id(), encode_sentences(tokens, rows, ragged)};
}

}  // namespace attnengine
