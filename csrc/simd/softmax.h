#pragma once

#include "simd/exp.h"
#include "simd/map.h"

namespace attnengine::ATTNENGINE_ISA {

// The largest of n numbers; NaN is ignored.
ATTNENGINE_INLINE float max_of(const float* x, std::int64_t n) {
  Floats best = broadcast(-kInfinity);
  for_lanes(n, [&](std::int64_t i, std::int64_t count) {
    best = max(load_first(x + i, count, -kInfinity), best);
  });
  return max_lane(best);
}

// The sum of exp(x - max), x <= max; `write(i, e, count)` gets each vector of terms.
template <class Write>
ATTNENGINE_INLINE float sum_of_exp(const float* x, float max, std::int64_t n, Write write) {
  return sum_of(n, [&](std::int64_t i, std::int64_t count) {
    const Floats e = exp_of_negative(load_first(x + i, count, -kInfinity) - broadcast(max));
    write(i, e, count);
    return e;
  });
}

// Writes exp(x - max) to y, which may be x, and returns the sum.
ATTNENGINE_INLINE float exp_and_sum(const float* x, float max, float* y, std::int64_t n) {
  return sum_of_exp(x, max, n, [y](std::int64_t i, Floats e, std::int64_t count) {
    store_first(y + i, e, count);
  });
}

ATTNENGINE_INLINE void scale(float* x, float factor, std::int64_t n) {
  map(x, x, n, [factor](Floats v) { return broadcast(factor) * v; });
}

// In place; subtracting the maximum keeps exp from overflowing.
ATTNENGINE_INLINE void softmax_row(float* x, std::int64_t n) {
  scale(x, 1.0f / exp_and_sum(x, max_of(x, n), x, n), n);
}

}  // namespace attnengine::ATTNENGINE_ISA
