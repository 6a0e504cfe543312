#pragma once

#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {

// sum over i of a[i] * b[i]. The order of the additions depends on n alone.
ATTNENGINE_INLINE float dot(const float* a, const float* b, std::int64_t n) {
  Floats sums = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) sums = fma(load(a + i), load(b + i), sums);
  float tail = 0;
  for (; i < n; ++i) tail += a[i] * b[i];
  return sum(sums) + tail;
}

// y[i] += w * x[i]
ATTNENGINE_INLINE void add_scaled(float w, const float* x, float* y, std::int64_t n) {
  const Floats weight = broadcast(w);
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, fma(weight, load(x + i), load(y + i)));
  for (; i < n; ++i) y[i] += w * x[i];
}

}  // namespace attnengine::ATTNENGINE_ISA
