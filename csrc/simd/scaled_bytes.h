#pragma once

#include "simd/bytes.h"

// Numbers in 8 bits, -127 to 127, that share a scale: the largest magnitude among them / 127.
// Rounded half to even, the same bits on every ISA. If a number is not finite, the scale is NaN and
// the integers are undefined.
namespace attnengine::ATTNENGINE_ISA {

// Magnitudes as integers; infinity and NaN give the largest.
ATTNENGINE_INLINE Ints larger_magnitudes(Ints largest, Floats x) {
  const Ints bits = reinterpret_cast<Ints>(x) & 0x7fffffff;
  return bits > largest ? bits : largest;
}

// The largest magnitude of all lanes, as a number.
ATTNENGINE_INLINE float largest_magnitude(Ints magnitudes) {
  const std::int32_t bits = largest_lane(magnitudes);
  float magnitude;
  __builtin_memcpy(&magnitude, &bits, sizeof(magnitude));
  return magnitude;
}

// Scales of kLanes blocks.
struct Scales {
  Floats scales;
  Floats inverses;  // 0 where the numbers become zeros
};

ATTNENGINE_INLINE Scales scales_of(Floats most) {
  const Ints finite = most < kInfinity, used = finite & (most >= kTiny);
  const Floats unused = finite ? Floats{} : broadcast(__builtin_nanf(""));
  return {used ? most / 127.0f : unused, used ? 127.0f / most : Floats{}};
}

// Adding 1.5 * 2^23 rounds to an integer and leaves it in the lowest bits.
ATTNENGINE_INLINE Ints rounded(Floats x, float inverse) {
  const Floats shifted = x * broadcast(inverse) + broadcast(0x1.8p23f);
  return reinterpret_cast<Ints>(shifted) - 0x4b400000;
}

ATTNENGINE_INLINE void store(std::int8_t* p, Ints x) {
  *reinterpret_cast<UnalignedNarrow*>(p) = narrow(x);
}

// The integers as numbers, without the scale.
ATTNENGINE_INLINE Floats load(const std::int8_t* p) {
  return __builtin_convertvector(widen(p), Floats);
}

}  // namespace attnengine::ATTNENGINE_ISA
