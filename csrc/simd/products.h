#pragma once

#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {

// sums[r][v] += x(r) * w(v); x is a number and w a vector, or pairs of them. The fewer operands
// stay in registers.
template <int kRows, int kVectors, class X, class W>
ATTNENGINE_INLINE void add_product(X x, W w, Floats (&sums)[kRows][kVectors]) {
  if constexpr (kRows < kVectors) {
    decltype(broadcast(x(0))) numbers[kRows];
    for (int r = 0; r < kRows; ++r) numbers[r] = broadcast(x(r));
    for (int v = 0; v < kVectors; ++v) {
      const auto vector = w(v);
      for (int r = 0; r < kRows; ++r) sums[r][v] = fma(numbers[r], vector, sums[r][v]);
    }
  } else {
    decltype(w(0)) vectors[kVectors];
    for (int v = 0; v < kVectors; ++v) vectors[v] = w(v);
    for (int r = 0; r < kRows; ++r) {
      const auto number = broadcast(x(r));
      for (int v = 0; v < kVectors; ++v) sums[r][v] = fma(number, vectors[v], sums[r][v]);
    }
  }
}

// sums[r][v] += sum over k in [begin, end) of x(r, k) * w(k, v), each lane one chain of additions.
// Needs at least one k: the sums stay in registers only if no path skips the loop.
template <int kRows, int kVectors, class X, class W>
ATTNENGINE_INLINE void add_products(std::int64_t begin, std::int64_t end, X x, W w,
                                    Floats (&sums)[kRows][kVectors]) {
  std::int64_t k = begin;
  do {
    add_product([&](int r) { return x(r, k); }, [&](int v) { return w(k, v); }, sums);
  } while (++k < end);
}

}  // namespace attnengine::ATTNENGINE_ISA
