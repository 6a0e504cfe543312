#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "decoding/search_options.h"

namespace attnengine {

// Sampling: num_hypotheses independent draws, token by token, from softmax(logits / temperature).
// The generator of hypothesis i depends only on (seed, i), not on the rest of the batch. Without a
// seed each sentence gets a new random seed.
struct SamplingOptions : SearchOptions {
  double temperature = 1;
  std::int64_t top_k = 0;  // number of best tokens to draw from; 0: all tokens
  std::optional<std::uint64_t> seed;

  void validate() const override;
  std::unique_ptr<SentenceSearch> begin(const NewSentence& sentence) const override;
};

}  // namespace attnengine
