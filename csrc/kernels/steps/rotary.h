#pragma once

#include "core/matrix.h"

namespace attnengine {

// Rotary position embedding of heads that lie side by side.
struct RotaryStep {
  Matrix x;             // (rows, at least num_heads * head_dim)
  ConstMatrix cosines;  // (rows, half) of the row's angles
  ConstMatrix sines;    // (rows, half)
  std::int64_t num_heads;
  std::int64_t head_dim;  // at least 2 * half
};

}  // namespace attnengine
