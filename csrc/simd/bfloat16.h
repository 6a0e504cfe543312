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

// The first or the second number of kLanes pairs.
template <int kWhich>
ATTNENGINE_INLINE Floats load_of_pairs(const Pair* p) {
  const Ints pairs = reinterpret_cast<Ints>(load(reinterpret_cast<const float*>(p)));
  const Ints bits = kWhich == 0 ? pairs << 16 : pairs & std::int32_t(0xffff0000u);
  return reinterpret_cast<Floats>(bits);
}

}  // namespace attnengine::ATTNENGINE_ISA
