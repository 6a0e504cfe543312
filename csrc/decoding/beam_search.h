#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "decoding/search_options.h"

namespace attnengine {

// Beam search. All continuations of a sentence are ranked by their summed log-probability: end
// tokens among the first beam_size become candidates, later ones are ignored; the best beam_size
// others live on.
struct BeamSearchOptions : SearchOptions {
  std::int64_t beam_size = 1;       // live hypotheses, at most
  std::int64_t num_candidates = 1;  // stop after the step in which so many have ended, ...
  bool optimal = false;             // or when no live one can beat the best num_hypotheses

  // Throws InvalidArgument for options that make no sense.
  BeamSearchOptions(std::int64_t beam_size, std::int64_t num_hypotheses,
                    std::int64_t num_candidates, double length_penalty, bool optimal,
                    const std::vector<std::int64_t>& end_tokens, std::int64_t min_new_tokens);

  std::unique_ptr<SentenceSearch> begin(std::int32_t start_token,
                                        std::int64_t max_new_tokens) const override;
};

}  // namespace attnengine
