#pragma once

#include "simd/exp.h"

namespace attnengine::ATTNENGINE_ISA {

ATTNENGINE_INLINE float max_of(const float* x, std::int64_t n) {
  Floats best = broadcast(-__builtin_inff());
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) best = max(best, load(x + i));
  if (i < n) best = max(best, load_first(x + i, n - i, -__builtin_inff()));
  return max_lane(best);
}

// Writes exp(x - max) and returns the sum.
ATTNENGINE_INLINE float exp_and_sum(const float* x, float max, float* y, std::int64_t n) {
  Floats sums = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Floats e = exp(load(x + i) - broadcast(max));
    store(y + i, e);
    sums += e;
  }
  if (i < n) {
    const Floats e = exp(load_first(x + i, n - i, -__builtin_inff()) - broadcast(max));
    store_first(y + i, e, n - i);
    sums += e;
  }
  return sum(sums);
}

ATTNENGINE_INLINE void scale(float* x, float factor, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) x[i] *= factor;
}

// In place; subtracting the maximum keeps exp from overflowing.
ATTNENGINE_INLINE void softmax_row(float* x, std::int64_t n) {
  scale(x, 1.0f / exp_and_sum(x, max_of(x, n), x, n), n);
}

}  // namespace attnengine::ATTNENGINE_ISA
