#pragma once

#include "layers/ragged.h"

namespace attnengine {

// The sentences that tokens (rows,) and lengths (sentences,) say. Throws InvalidArgument for a
// token that the vocabulary has not, lengths that do not add up and a sentence longer than
// max_positions (0: any length).
Ragged checked_sentences(const std::int32_t* tokens, std::int64_t rows, const std::int64_t* lengths,
                         std::int64_t sentences, std::int64_t vocab_size,
                         std::int64_t max_positions);

}  // namespace attnengine
