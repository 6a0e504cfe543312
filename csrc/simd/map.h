#pragma once

#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {

// Calls f(i, count) for each vector of n elements: count is kLanes, but for the rest at the end.
template <class F>
ATTNENGINE_INLINE void for_lanes(std::int64_t n, F f) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(i, kLanes);
  if (i < n) f(i, n - i);
}

// y[i] = f(x[i]) for a function of vectors; x and y may be the same array.
template <class F>
ATTNENGINE_INLINE void map(const float* x, float* y, std::int64_t n, F f) {
  for_lanes(n, [=](std::int64_t i, std::int64_t count) {
    store_first(y + i, f(load_first(x + i, count)), count);
  });
}

// The sum of n elements; f(i, count) is the vector at i with zeros after `count`. Four chains of
// additions are combined in an order that depends on n alone.
template <class F>
ATTNENGINE_INLINE float sum_of(std::int64_t n, F f) {
  Floats chains[4] = {};
  std::int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes)
    for (std::int64_t c = 0; c < 4; ++c) chains[c] += f(i + c * kLanes, kLanes);
  for (; i + kLanes <= n; i += kLanes) chains[0] += f(i, kLanes);
  if (i < n) chains[1] += f(i, n - i);
  return sum((chains[0] + chains[1]) + (chains[2] + chains[3]));
}

}  // namespace attnengine::ATTNENGINE_ISA
