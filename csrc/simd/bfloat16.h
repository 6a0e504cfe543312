#pragma once

#include "simd/products.h"

// Numbers of 16 bits, the upper half of a float, in pairs.
namespace attnengine::ATTNENGINE_ISA {

using Pair = std::uint32_t;  // the first in the lower half

// Half to even, which may be infinite; NaN stays NaN.
ATTNENGINE_INLINE std::uint32_t bfloat16(float x) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  const std::uint32_t half = 0x7fff + (bits >> 16 & 1);
  return (x == x ? bits + half : bits | 0x400000) >> 16;
}

// kLanes numbers, rounded the same way; the lower half of their bits is zero.
ATTNENGINE_INLINE Ints bfloat16(Floats x) {
  typedef std::uint32_t Bits __attribute__((vector_size(4 * kLanes)));
  const Bits bits = reinterpret_cast<Bits>(x);
  const Ints rounded = reinterpret_cast<Ints>(bits + 0x7fff + ((bits >> 16) & 1));
  return (x == x ? rounded : reinterpret_cast<Ints>(bits | 0x400000)) & std::int32_t(0xffff0000u);
}

// What each ISA does in its own way:
//   InputPair                two adjacent inputs, rounded, as they lie in memory
//   store_pairs(p, x)        rounds kLanes inputs
//   add_pairs(x, w, sums)    sums[r][v] += x(r) * w(v) for the pairs at these places, of which the
//                            second numbers come first
#if defined(__AVX512BF16__)

using InputPair = Pair;
struct Pairs {
  __m512bh both;
};

ATTNENGINE_INLINE void store_pairs(InputPair* p, Floats x) {
  const __m512i halves = reinterpret_cast<__m512i>(bfloat16(x) >> 16);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_maskz_cvtepi32_epi16(0xffff, halves));
}
ATTNENGINE_INLINE Pairs broadcast(Pairs pairs) { return pairs; }
ATTNENGINE_INLINE Floats fma(Pairs inputs, Pairs weights, Floats sums) {
  return _mm512_dpbf16_ps(sums, weights.both, inputs.both);
}
template <int kRows, int kVectors, class X, class W>
ATTNENGINE_INLINE void add_pairs(X x, W w, Floats (&sums)[kRows][kVectors]) {
  const auto inputs = [&](int r) {
    return Pairs{reinterpret_cast<__m512bh>(broadcast_int(static_cast<std::int32_t>(*x(r))))};
  };
  const auto weights = [&](int v) {
    return Pairs{reinterpret_cast<__m512bh>(load(reinterpret_cast<const float*>(w(v))))};
  };
  add_product(inputs, weights, sums);
}

#else

struct InputPair {
  float first, second;
};

ATTNENGINE_INLINE void store_pairs(InputPair* p, Floats x) {
  store(&p->first, reinterpret_cast<Floats>(bfloat16(x)));
}
template <int kRows, int kVectors, class X, class W>
ATTNENGINE_INLINE void add_pairs(X x, W w, Floats (&sums)[kRows][kVectors]) {
  const auto pairs = [&](int v) {
    return reinterpret_cast<Ints>(load(reinterpret_cast<const float*>(w(v))));
  };
  const auto seconds = [&](int v) {
    return reinterpret_cast<Floats>(pairs(v) & std::int32_t(0xffff0000u));
  };
  const auto firsts = [&](int v) { return reinterpret_cast<Floats>(pairs(v) << 16); };
  add_product([&](int r) { return x(r)->second; }, seconds, sums);
  add_product([&](int r) { return x(r)->first; }, firsts, sums);
}

#endif

}  // namespace attnengine::ATTNENGINE_ISA
