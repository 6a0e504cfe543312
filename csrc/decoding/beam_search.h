#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "decoding/search_options.h"

namespace attnengine {

// Beam search. A step ranks all continuations of a sentence by their summed log-probability. End
// tokens among the first beam_size become candidates; later end tokens are ignored. The best
// beam_size other tokens live on.
struct BeamSearchOptions : SearchOptions {
  enum class Stopping { kCandidates, kOptimal };

  std::int64_t beam_size = 1;                  // maximum number of live hypotheses
  std::optional<std::int64_t> num_candidates;  // default: beam_size
  // kCandidates stops after num_candidates have ended; kOptimal stops when no live hypothesis can
  // beat the best num_hypotheses.
  Stopping stopping = Stopping::kCandidates;

  void validate() const override;
  std::unique_ptr<SentenceSearch> begin(const NewSentence& sentence) const override;

  std::int64_t candidates() const { return num_candidates.value_or(beam_size); }
};

}  // namespace attnengine
