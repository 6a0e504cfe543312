#pragma once

#include "simd/bytes.h"

// Products of 4 and 8 bits, eight inputs at a time: exact sums of at most 32 inputs for each of
// kLanes outputs.
namespace attnengine::ATTNENGINE_ISA {

typedef std::int16_t Shorts __attribute__((vector_size(4 * kLanes)));

// What each ISA does in its own way:
//   add_pairs(a, b)    products of 16 bits, those of two neighbours added
//   bytes_times(a, b)  products of 8 bits, a >= 0, those of two neighbours added; they must fit in
//                      16 bits
#if defined(__AVX512BW__)

ATTNENGINE_INLINE Ints add_pairs(Ints a, Ints b) {
  return reinterpret_cast<Ints>(
      _mm512_madd_epi16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
}
ATTNENGINE_INLINE Shorts bytes_times(Ints a, Ints b) {
  return reinterpret_cast<Shorts>(
      _mm512_maddubs_epi16(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
}

#elif defined(__AVX2__)

ATTNENGINE_INLINE Ints add_pairs(Ints a, Ints b) {
  return reinterpret_cast<Ints>(
      _mm256_madd_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
}
ATTNENGINE_INLINE Shorts bytes_times(Ints a, Ints b) {
  return reinterpret_cast<Shorts>(
      _mm256_maddubs_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
}

#elif defined(__aarch64__)

ATTNENGINE_INLINE Ints add_pairs(Ints a, Ints b) {
  const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
  return vpaddq_s32(vmull_s16(vget_low_s16(x), vget_low_s16(y)), vmull_high_s16(x, y));
}

#else

ATTNENGINE_INLINE Ints add_pairs(Ints a, Ints b) {
  return ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
}
ATTNENGINE_INLINE Shorts bytes_times(Ints a, Ints b) {
  const Shorts x = reinterpret_cast<Shorts>(a), y = reinterpret_cast<Shorts>(b);
  return (x & 0xff) * ((y << 8) >> 8) + ((x >> 8) & 0xff) * (y >> 8);
}

#endif

// And for weights from 0 to 15 and inputs from -127 to 127:
//   Products               sums of products, zeros at first
//   dot(sums, weights, x)  with those of eight inputs at x: weights of kLanes outputs, the first
//                          four in the lower and the others in the upper halves of four bytes
//   sixteen_times(sums)    as numbers
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)

using Products = Ints;
ATTNENGINE_INLINE Products dot(Products sums, Ints weights, const std::int8_t* x) {
  const Ints upper = broadcast_int(std::int32_t(0xf0f0f0f0u));  // sixteen times the weights
  sums = add_dots(sums, (weights << 4) & upper, broadcast_four(x));
  return add_dots(sums, weights & upper, broadcast_four(x + 4));
}
ATTNENGINE_INLINE Ints sixteen_times(Products sums) { return sums; }

#elif defined(__ARM_FEATURE_DOTPROD)

using Products = Ints;
ATTNENGINE_INLINE Products dot(Products sums, Ints weights, const std::int8_t* x) {
  const uint8x16_t bytes = vreinterpretq_u8_s32(weights);
  const int8x8_t eight = vld1_s8(x);
  const int8x16_t lower = vreinterpretq_s8_u8(bytes & 15);
  sums = vdotq_lane_s32(sums, lower, eight, 0);
  return vdotq_lane_s32(sums, vreinterpretq_s8_u8(bytes >> 4), eight, 1);
}
ATTNENGINE_INLINE Ints sixteen_times(Products sums) { return sums << 4; }

#elif defined(__aarch64__)

// Four sums for each output, two in each part: 8 products of at most 15 * 127 fit, and two of
// these.
struct Products {
  int16x8_t lower, upper;
};
ATTNENGINE_INLINE void add_dot(Products& sums, int8x16_t weights, const std::int8_t* x) {
  const Quad four = quad(x);
  sums.lower = vmlal_s8(sums.lower, vget_low_s8(weights), vget_low_s8(four));
  sums.upper = vmlal_high_s8(sums.upper, weights, four);
}
ATTNENGINE_INLINE Products dot(Products sums, Ints weights, const std::int8_t* x) {
  const uint8x16_t bytes = vreinterpretq_u8_s32(weights);
  add_dot(sums, vreinterpretq_s8_u8(bytes & 15), x);
  add_dot(sums, vreinterpretq_s8_u8(bytes >> 4), x + 4);
  return sums;
}
ATTNENGINE_INLINE Ints sixteen_times(Products sums) {
  return vpaddlq_s16(vpaddq_s16(sums.lower, sums.upper)) << 4;
}

#else

using Products = Shorts;  // two sums for each output: 16 products of at most 15 * 127 fit
ATTNENGINE_INLINE Products dot(Products sums, Ints weights, const std::int8_t* x) {
  const Ints lower = broadcast_int(0x0f0f0f0f);
  return sums + bytes_times(weights & lower, broadcast_four(x)) +
         bytes_times((weights >> 4) & lower, broadcast_four(x + 4));
}
ATTNENGINE_INLINE Ints sixteen_times(Products sums) {
  return add_pairs(reinterpret_cast<Ints>(sums), broadcast_int(0x00100010));
}

#endif

ATTNENGINE_INLINE Ints load_nibbles(const std::uint8_t* p) {
  return reinterpret_cast<Ints>(load(reinterpret_cast<const float*>(p)));
}

// kLanes numbers of 8 bits without a sign.
ATTNENGINE_INLINE Ints load_narrow(const std::uint8_t* p) {
#if defined(__AVX512F__)
  return reinterpret_cast<Ints>(
      _mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#elif defined(__AVX2__)
  return reinterpret_cast<Ints>(
      _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
#elif defined(__aarch64__)
  std::uint32_t four;
  __builtin_memcpy(&four, p, 4);
  return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four)))));
#else
  return Ints{p[0], p[1], p[2], p[3]};
#endif
}

}  // namespace attnengine::ATTNENGINE_ISA
