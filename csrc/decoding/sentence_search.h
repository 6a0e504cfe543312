#pragma once

#include <cstdint>

#include "decoding/hypotheses.h"
#include "kernels/steps/logits.h"

namespace attnengine {

// The search of one sentence. Beam search and sampling differ in these four functions.
class SentenceSearch {
 public:
  SentenceSearch(const SearchOptions& options, const NewSentence& sentence)
      : hypotheses_(options, sentence) {}
  virtual ~SentenceSearch() = default;

  const Hypotheses& hypotheses() const { return hypotheses_; }

  // How many of the best tokens of each row advance should find looked up; it gets at most
  // vocab_size, and maybe more.
  virtual std::int64_t lookup() const = 0;
  // Operations of advance, for parallel_for.
  virtual std::int64_t work(std::int64_t vocab_size) const = 0;
  // Whether nothing is left to return, given the log_sums (rows,): -infinity where every token
  // is forbidden.
  virtual bool stuck(const double* log_sums) const = 0;
  // One token more. `rows` is what log_softmax_top_k found in the sentence's rows, one for each
  // live hypothesis.
  virtual void advance(const TopKStep& rows) = 0;

 protected:
  Hypotheses hypotheses_;
};

}  // namespace attnengine
