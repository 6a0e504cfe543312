#pragma once

// Included by vec.h alone.

namespace attnengine::ATTNENGINE_ISA {

ATTNENGINE_INLINE Floats fma(Floats a, Floats b, Floats c) { return a * b + c; }
ATTNENGINE_INLINE Floats max(Floats a, Floats b) { return a > b ? a : b; }
ATTNENGINE_INLINE Floats min(Floats a, Floats b) { return a < b ? a : b; }

ATTNENGINE_INLINE Floats load_some(const float* p, std::int64_t n, float fill) {
  Floats x = broadcast(fill);
  for (std::int64_t i = 0; i < n; ++i) x[i] = p[i];
  return x;
}

ATTNENGINE_INLINE void store_some(float* p, Floats x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) p[i] = x[i];
}

ATTNENGINE_INLINE std::uint32_t which_greater(Floats a, Floats b) {
  const Ints bits = (a > b) & Ints{1, 2, 4, 8};
  return static_cast<std::uint32_t>((bits[0] | bits[1]) | (bits[2] | bits[3]));
}

ATTNENGINE_INLINE float sum(Floats x) { return (x[0] + x[2]) + (x[1] + x[3]); }

ATTNENGINE_INLINE Floats sums(const Floats (&x)[kGroup]) {
  return Floats{sum(x[0]), sum(x[1]), sum(x[2]), sum(x[3])};
}

}  // namespace attnengine::ATTNENGINE_ISA
