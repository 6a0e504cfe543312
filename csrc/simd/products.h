#pragma once

#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {

// sums[r][v] += sum over k in [begin, end) of x(r, k) * w(k, v), each lane one chain of additions;
// x is a number and w a vector. At least one k: sums stay in registers where no path skips it.
template <int kRows, int kVectors, class X, class W>
ATTNENGINE_INLINE void add_products(std::int64_t begin, std::int64_t end, X x, W w,
                                    Floats (&sums)[kRows][kVectors]) {
  std::int64_t k = begin;
  do {
    Floats vectors[kVectors];
    for (int v = 0; v < kVectors; ++v) vectors[v] = w(k, v);
    for (int r = 0; r < kRows; ++r) {
      const Floats number = broadcast(x(r, k));
      for (int v = 0; v < kVectors; ++v) sums[r][v] = fma(number, vectors[v], sums[r][v]);
    }
  } while (++k < end);
}

}  // namespace attnengine::ATTNENGINE_ISA
