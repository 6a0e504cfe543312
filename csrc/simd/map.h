#pragma once

#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {

// y[i] = f(x[i]) for a function of eight floats; x and y may be the same array.
template <class F>
ATTNENGINE_INLINE void map(const float* x, float* y, std::int64_t n, F f) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, f(load(x + i)));
  if (i < n) store_first(y + i, f(load_first(x + i, n - i, 0)), n - i);
}

}  // namespace attnengine::ATTNENGINE_ISA
