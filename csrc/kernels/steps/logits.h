#pragma once

#include "core/matrix.h"
#include "core/range.h"

namespace attnengine {

// Rows of logits are summed in blocks of so many, which threads share out.
constexpr std::int64_t kLogitBlock = 1024;
[[gnu::always_inline]] constexpr std::int64_t logit_blocks(std::int64_t vocab_size) {
  return ceil_divide(vocab_size, kLogitBlock);
}

// The best k log-probabilities of each row, best first; of equal ones the lower token. Where fewer
// than k logits are above -infinity the rest are token -1.
struct TopKStep {
  ConstMatrix logits;    // (rows, vocab_size)
  std::int64_t k;        // at most vocab_size
  float* log_probs;      // (rows, k)
  std::int32_t* tokens;  // (rows, k)
  double* log_sums;  // (rows,) log of the sum of exp(logits), NaN when a logit is: in double, as
                     // a likely token's log-probability is a small difference of large numbers
  float* maxima;     // (rows, logit_blocks(vocab_size)) scratch
  float* sums;       // (rows, logit_blocks(vocab_size)) scratch
};

}  // namespace attnengine
