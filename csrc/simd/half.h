#pragma once

#include "simd/vec.h"

// Numbers of 16 bits, IEEE binary16: the same bits on every ISA.
namespace attnengine::ATTNENGINE_ISA {

using Half = std::uint16_t;

// What each ISA does in its own way:
//   load(p)             kLanes halves as floats, exactly
//   store_rounded(p, x) half to even, for what is in the range of a half, infinite or NaN
#if defined(__AVX512F__)

ATTNENGINE_INLINE Floats load(const Half* p) {
  return _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
ATTNENGINE_INLINE void store_rounded(Half* p, Floats x) {
  constexpr int kRounding = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_maskz_cvtps_ph(0xffff, x, kRounding));
}

#elif defined(__AVX2__)

ATTNENGINE_INLINE Floats load(const Half* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
ATTNENGINE_INLINE void store_rounded(Half* p, Floats x) {
  constexpr int kRounding = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x, kRounding));
}

#elif defined(__aarch64__)

ATTNENGINE_INLINE Floats load(const Half* p) {
  return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}
ATTNENGINE_INLINE void store_rounded(Half* p, Floats x) {
  vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(x)));
}

#else

ATTNENGINE_INLINE Ints bits_of(Floats x) { return reinterpret_cast<Ints>(x); }
ATTNENGINE_INLINE Floats floats_of(Ints x) { return reinterpret_cast<Floats>(x); }

// Exponents of a half are 112 less. Below the least exponent, 2 ** -14 is added to the mantissa and
// subtracted again.
ATTNENGINE_INLINE Floats load(const Half* p) {
  const Ints half{p[0], p[1], p[2], p[3]};
  const Ints magnitude = (half & 0x7fff) << 13, exponent = magnitude & 0x7c00 << 13;
  const Ints normal = magnitude + (112 << 23);
  const Ints small = bits_of(floats_of(normal + (1 << 23)) - floats_of(broadcast_int(113 << 23)));
  const Ints infinite = exponent == 0x7c00 << 13;  // or NaN
  const Ints tiny = exponent == 0;
  const Ints found = (tiny & small) | (~tiny & (normal + (infinite & 112 << 23)));
  return floats_of(found | (half & 0x8000) << 16);
}

// Adding 0.5 rounds a small number: the last bit of the sum is the half's.
ATTNENGINE_INLINE void store_rounded(Half* p, Floats x) {
  const Ints bits = bits_of(x), magnitude = bits & 0x7fffffff, sign = bits >> 16 & 0x8000;
  const Ints odd = magnitude >> 13 & 1;
  const Ints normal = (magnitude - (112 << 23) + 0xfff + odd) >> 13;
  const Ints small = bits_of(floats_of(magnitude) + broadcast(0.5f)) - bits_of(broadcast(0.5f));
  const Ints infinite = magnitude >= 255 << 23;  // or NaN, which keeps its upper bit
  const Ints quiet = (magnitude > 255 << 23) & 0x200;
  const Ints none = 0x7c00 | quiet | (magnitude >> 13 & 0x3ff);
  const Ints tiny = magnitude < 113 << 23;
  const Ints number = (tiny & small) | (~tiny & normal);
  const Ints half = sign | (infinite & none) | (~infinite & number);
  for (int i = 0; i < kLanes; ++i) p[i] = static_cast<Half>(half[i]);
}

#endif

// Half to even. Finite numbers stay finite; infinities and NaN stay as they are.
ATTNENGINE_INLINE void store(Half* p, Floats x) {
  const Floats largest = broadcast(65504), limited = max(-largest, min(largest, x));
  const Ints infinite = (x == broadcast(kInfinity)) | (x == broadcast(-kInfinity));
  store_rounded(p, infinite ? x : limited);
}

}  // namespace attnengine::ATTNENGINE_ISA
