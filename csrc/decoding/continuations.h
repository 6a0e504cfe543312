#pragma once

#include <cstdint>
#include <vector>

#include "decoding/hypotheses.h"
#include "kernels/steps/logits.h"

namespace attnengine {

// A live hypothesis and one more token.
struct Continuation {
  double log_prob;   // summed over the hypothesis and the token
  std::int32_t row;  // row of the hypothesis that it continues
  std::int32_t token;
};

// All continuations of a sentence's live hypotheses, best first. Ties go to the lower row, then to
// the lower token. A heap holds the head of each row's sorted list and merges the lists. A row's
// list grows only when the merge has used it up: in a wide beam most rows give few continuations.
class Continuations {
 public:
  // Starts a step; takes at most `limit` continuations of each row.
  void start(const TopKStep& rows, const Hypotheses& hypotheses, std::int64_t limit);

  // Takes the best remaining continuation; returns false when only forbidden ones remain.
  bool take(Continuation* best);

 private:
  struct List {  // the continuations of one row that were looked up, best first
    const float* log_probs;
    const std::int32_t* tokens;
    std::int64_t size;
    std::int64_t next;
    double so_far;  // log-probability of the hypothesis
  };
  struct Longer {  // storage of a list that has grown
    std::vector<float> log_probs;
    std::vector<std::int32_t> tokens;
  };

  bool head(std::int32_t row, Continuation* best);
  void look_further(std::int32_t row);

  TopKStep rows_{};
  std::int64_t limit_ = 0;
  std::vector<List> lists_;          // (rows,)
  std::vector<Longer> longer_;       // (rows,), memory that later steps reuse
  std::vector<Continuation> heads_;  // heap of the best remaining continuation of each row
};

}  // namespace attnengine
