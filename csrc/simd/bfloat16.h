#pragma once

#include "simd/vec.h"

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

// kLanes numbers, rounded the same way: bits whose lower halves are zeros.
ATTNENGINE_INLINE Ints bfloat16(Floats x) {
  const Ints bits = reinterpret_cast<Ints>(x);
  const Ints half = 0x7fff + ((bits >> 16) & 1);
  return (x == x ? bits + half : bits | 0x400000) & std::int32_t(0xffff0000u);
}

// What each ISA does in its own way, to multiply the second and then the first of two adjacent
// inputs with theirs of kLanes outputs:
//   InputPair                  two inputs, as they lie in memory
//   store_pairs(p, x)          kLanes inputs, rounded
//   Pairs                      in registers: broadcast(pair) of inputs, load_pairs(p) of weights
//   fma(inputs, weights, sums)
#if defined(__AVX512BF16__)

struct InputPair {
  Pair both;
};
struct Pairs {
  __m512bh both;
};

ATTNENGINE_INLINE void store_pairs(InputPair* p, Floats x) {
  const __m512i halves = reinterpret_cast<__m512i>(bfloat16(x) >> 16);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_maskz_cvtepi32_epi16(0xffff, halves));
}
ATTNENGINE_INLINE Pairs broadcast(InputPair pair) {
  return {reinterpret_cast<__m512bh>(broadcast_int(static_cast<std::int32_t>(pair.both)))};
}
ATTNENGINE_INLINE Pairs load_pairs(const Pair* p) {
  return {reinterpret_cast<__m512bh>(load(reinterpret_cast<const float*>(p)))};
}
ATTNENGINE_INLINE Floats fma(Pairs inputs, Pairs weights, Floats sums) {
  return _mm512_dpbf16_ps(sums, weights.both, inputs.both);
}

#else

struct InputPair {
  float first, second;
};
struct Pairs {
  Floats first, second;
};

ATTNENGINE_INLINE void store_pairs(InputPair* p, Floats x) {
  store(&p->first, reinterpret_cast<Floats>(bfloat16(x)));
}
ATTNENGINE_INLINE Pairs broadcast(InputPair pair) {
  return {broadcast(pair.first), broadcast(pair.second)};
}
ATTNENGINE_INLINE Pairs load_pairs(const Pair* p) {
  const Ints pairs = reinterpret_cast<Ints>(load(reinterpret_cast<const float*>(p)));
  return {reinterpret_cast<Floats>(pairs << 16),
          reinterpret_cast<Floats>(pairs & std::int32_t(0xffff0000u))};
}
ATTNENGINE_INLINE Floats fma(const Pairs& inputs, const Pairs& weights, Floats sums) {
  return fma(inputs.first, weights.first, fma(inputs.second, weights.second, sums));
}

#endif

}  // namespace attnengine::ATTNENGINE_ISA
