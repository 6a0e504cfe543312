#pragma once

#include "core/matrix.h"

namespace attnengine {

// The encoded sentence that a row attends to.
struct Source {
  const float* keys;    // (length, key_dim)   projected once per sentence
  const float* values;  // (length, value_dim) encoder states
  std::int64_t length;
};

// One decoding step of attention over encoded sentences.
struct AttentionStep {
  ConstMatrix query;      // (rows, key_dim)       projected decoder state
  const Source* sources;  // (rows,)               hypotheses of one sentence share one
  Matrix weights;         // (rows, longest)       softmax of the scores, zero beyond the source
  Matrix context;         // (rows, value_dim)     weights @ values
};

}  // namespace attnengine
