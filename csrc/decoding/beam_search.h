#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "decoding/search_options.h"

namespace attnengine {

// Beam search. All continuations of a sentence are ranked by their summed log-probability: end
// tokens among the first beam_size become candidates, later ones are ignored; the best beam_size
// others live on.
struct BeamSearchOptions : SearchOptions {
  enum class Stopping { kCandidates, kOptimal };

  std::int64_t beam_size = 1;                  // live hypotheses, at most
  std::optional<std::int64_t> num_candidates;  // without: beam_size
  Stopping stopping = Stopping::kCandidates;   // when num_candidates have ended, ...
  // or kOptimal: when no live one can beat the best num_hypotheses.

  void validate() const override;
  std::unique_ptr<SentenceSearch> begin(const NewSentence& sentence) const override;

  std::int64_t candidates() const { return num_candidates.value_or(beam_size); }
};

}  // namespace attnengine
