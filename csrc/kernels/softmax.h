#pragma once

#include "kernels/steps/logits.h"

namespace attnengine::ATTNENGINE_ISA {

// Each row in place: exp(x - max) / sum.
void softmax(Matrix x);

// Log-softmax and the best k of each row in one pass over the logits.
void log_softmax_top_k(const TopKStep& step);

// The log-softmax of one token of each row, targets (rows,) -> log_probs (rows,).
void target_log_probs(ConstMatrix logits, const std::int32_t* targets, double* log_probs);

}  // namespace attnengine::ATTNENGINE_ISA
