#pragma once

#include <cstdint>
#include <vector>

#include "decoding/hypotheses.h"
#include "kernels/steps/logits.h"

namespace attnengine {

// A live hypothesis and one token more.
struct Continuation {
  double log_prob;   // of the whole hypothesis
  std::int32_t row;  // of the hypothesis it continues
  std::int32_t token;
};

// All continuations of a sentence's live hypotheses, best first; of equal ones the lower row, then
// the lower token. It merges the sorted lists of the rows with a heap that holds the head of each,
// and looks further into a row only when the merge has used up what was looked up: in a wide beam
// most rows give a few continuations and a few rows give many.
class Continuations {
 public:
  // `limit`: as many as any one row can be asked for.
  void start(const TopKStep& rows, const Hypotheses& hypotheses, std::int64_t limit);

  // Takes the best one that is left; false when the rest are forbidden.
  bool take(Continuation* best);

 private:
  struct List {  // continuations of one row, best first, as far as looked up
    const float* log_probs;
    const std::int32_t* tokens;
    std::int64_t size;
    std::int64_t next;
    double so_far;  // log-probability of the hypothesis
  };
  struct Longer {  // storage of a list that was looked up further
    std::vector<float> log_probs;
    std::vector<std::int32_t> tokens;
  };

  bool head(std::int32_t row, Continuation* best);
  void look_further(std::int32_t row);

  TopKStep rows_{};
  std::int64_t limit_ = 0;
  std::vector<List> lists_;          // (rows,)
  std::vector<Longer> longer_;       // (rows,), kept from step to step for its memory
  std::vector<Continuation> heads_;  // heap of the best continuation left in each row
};

}  // namespace attnengine
