#pragma once

#include "core/matrix.h"
#include "layers/ragged.h"

namespace attnengine {

enum class Pooling { kMean, kMax, kFirst, kLast, kAttention, kWeightedMean, kMeanSqrt };

// Every sequence to one vector: states (rows, size) -> pooled (sequences, size). kLast copies
// `final_hidden` (sequences, size): of a bidirectional encoder the last state of each direction.
// kAttention is the mean weighted by softmax(states @ query), query (size,). kWeightedMean weights
// the states by their positions 1, 2, ...; kMeanSqrt is the sum over the square root of the length.
void pool(Pooling pooling, const Ragged& ragged, ConstMatrix states, const float* final_hidden,
          const float* query, Matrix pooled);

// pooled[d] = mean over the rows of `run` of states[row][d]
void mean_rows(const RowRange& range, ConstMatrix states, float* pooled);

}  // namespace attnengine
