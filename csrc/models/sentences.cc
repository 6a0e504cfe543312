#include "models/sentences.h"

#include <string>

#include "core/errors.h"
#include "layers/embedding.h"

namespace attnengine {

Ragged checked_sentences(const std::int32_t* tokens, std::int64_t rows, const std::int64_t* lengths,
                         std::int64_t sentences, std::int64_t vocab_size,
                         std::int64_t max_positions) {
  check_tokens(tokens, rows, vocab_size, "tokens");
  Ragged ragged = Ragged::of_lengths(lengths, sentences, rows);
  for (std::int64_t i = 0; i < sentences; ++i)
    if (max_positions > 0 && lengths[i] > max_positions)
      throw InvalidArgument("lengths[" + std::to_string(i) + "] is " + std::to_string(lengths[i]) +
                            ", expected at most " + std::to_string(max_positions));
  return ragged;
}

}  // namespace attnengine
