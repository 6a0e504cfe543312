#pragma once

#include <cstdint>

#include "decoding/hypotheses.h"
#include "kernels/steps/logits.h"

namespace attnengine {

// The search of one sentence. Beam search and sampling implement its four virtual functions.
class SentenceSearch {
 public:
  SentenceSearch(const SearchOptions& options, const NewSentence& sentence)
      : hypotheses_(options, sentence) {}
  virtual ~SentenceSearch() = default;

  const Hypotheses& hypotheses() const { return hypotheses_; }

  // The number of best tokens of each row that advance wants. It may get more, but never more than
  // vocab_size.
  virtual std::int64_t lookup() const = 0;
  // Number of operations of advance, for parallel_for.
  virtual std::int64_t work(std::int64_t vocab_size) const = 0;
  // Whether the sentence has no possible result, given log_sums (rows,). The log-sum of a row is
  // -infinity if every token is forbidden.
  virtual bool stuck(const double* log_sums) const = 0;
  // Extends the live hypotheses by one token. `rows` holds the results of log_softmax_top_k for the
  // sentence's rows, one per live hypothesis.
  virtual void advance(const TopKStep& rows) = 0;

 protected:
  Hypotheses hypotheses_;
};

}  // namespace attnengine
