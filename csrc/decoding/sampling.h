#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "decoding/search_options.h"

namespace attnengine {

// Sampling: num_hypotheses independent draws, token by token, from softmax(logits / temperature).
// Hypothesis i draws from a generator seeded by (seed, i) alone, whatever else is in the batch.
// Without a seed every sentence takes a fresh one.
struct SamplingOptions : SearchOptions {
  double temperature = 1;
  std::int64_t top_k = 0;  // draw from the best top_k tokens only; 0: from all
  std::optional<std::uint64_t> seed;

  void validate() const override;
  std::unique_ptr<SentenceSearch> begin(const NewSentence& sentence) const override;
};

}  // namespace attnengine
