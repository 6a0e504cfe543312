#pragma once

#include "core/matrix.h"
#include "core/range.h"

namespace attnengine {

// Rows of logits are summed in blocks of this size, which threads share.
constexpr std::int64_t kLogitBlock = 1024;
[[gnu::always_inline]] constexpr std::int64_t logit_blocks(std::int64_t vocab_size) {
  return ceil_divide(vocab_size, kLogitBlock);
}

// The best k log-probabilities of each row, best first; the lower token wins a tie. Where fewer
// than k logits are above -infinity, the rest are token -1.
struct TopKStep {
  ConstMatrix logits;    // (rows, vocab_size)
  std::int64_t k;        // at most vocab_size
  float* log_probs;      // (rows, k)
  std::int32_t* tokens;  // (rows, k)
  // (rows,) log of the sum of exp(logits); NaN if a logit is NaN. In double: the log-probability of
  // a likely token is a small difference of large numbers.
  double* log_sums;
  float* maxima;  // (rows, logit_blocks(vocab_size)) scratch
  float* sums;    // (rows, logit_blocks(vocab_size)) scratch
};

}  // namespace attnengine
