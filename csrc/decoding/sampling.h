#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "decoding/search_options.h"

namespace attnengine {

// Sampling: num_hypotheses independent draws, token by token, from softmax(logits / temperature).
// Hypothesis i draws from a generator seeded by (seed, i) alone, whatever else is in the batch.
// Without a seed every sentence takes a fresh one.
struct SamplingOptions : SearchOptions {
  double temperature = 1;
  std::int64_t top_k = 0;  // draw from the best top_k tokens only; 0: from all
  std::optional<std::uint64_t> seed;

  // Throws InvalidArgument for options that make no sense.
  SamplingOptions(double temperature, std::int64_t top_k, std::optional<std::uint64_t> seed,
                  std::int64_t num_hypotheses, const std::vector<std::int64_t>& end_tokens,
                  std::int64_t min_new_tokens);

  std::unique_ptr<SentenceSearch> begin(std::int32_t start_token,
                                        std::int64_t max_new_tokens) const override;
};

}  // namespace attnengine
