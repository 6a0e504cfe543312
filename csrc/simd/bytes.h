#pragma once

#include "simd/vec.h"

// Products of 8 bits, four inputs at a time: an exact sum in 32 bits for each of kLanes outputs.
namespace attnengine::ATTNENGINE_ISA {

// Four bytes of each lane, which belong to adjacent inputs.
typedef std::int8_t Bytes __attribute__((vector_size(4 * kLanes)));
typedef std::int8_t UnalignedBytes __attribute__((vector_size(4 * kLanes), aligned(1), may_alias));

// Four adjacent bytes in every lane.
ATTNENGINE_INLINE Ints broadcast_four(const std::int8_t* p) {
  std::int32_t four;
  __builtin_memcpy(&four, p, 4);
  return broadcast_int(four);
}

// What each ISA does in its own way, for bytes from -127 to 127:
//   Quad                        four inputs of a row, as `dot` reads them
//   quad(p)                     those at p
//   load_weights(p)             four inputs of kLanes outputs
//   first_sums(sum)             where the sums begin; `sum` is that of all inputs of the row
//   narrow(x)                   the lowest byte of each lane, for integers of 8 bits
//   widen(p)                    kLanes bytes at p as integers
//   largest_lane(x)
//   dot(sums, weights, quad)    sums[lane] + the sum over i of weights[4 * lane + i] * quad[i]
typedef std::int8_t Narrow __attribute__((vector_size(kLanes)));
typedef std::int8_t UnalignedNarrow __attribute__((vector_size(kLanes), aligned(1), may_alias));

#if defined(__AVX2__)
ATTNENGINE_INLINE std::int32_t largest_of_eight(__m256i x) {
  __m128i four = _mm_max_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epi32(four, _mm_shuffle_epi32(four, 0xb1)));
}
#endif

#if defined(__AVX512F__)

ATTNENGINE_INLINE Narrow narrow(Ints x) {
  return reinterpret_cast<Narrow>(_mm512_maskz_cvtepi32_epi8(0xffff, reinterpret_cast<__m512i>(x)));
}
ATTNENGINE_INLINE Ints widen(const std::int8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return reinterpret_cast<Ints>(_mm512_maskz_cvtepi8_epi32(0xffff, bytes));
}
ATTNENGINE_INLINE std::int32_t largest_lane(Ints x) {
  const __m512i all = reinterpret_cast<__m512i>(x);
  return largest_of_eight(_mm256_max_epi32(_mm512_maskz_extracti32x8_epi32(0xff, all, 0),
                                           _mm512_maskz_extracti32x8_epi32(0xff, all, 1)));
}

#elif defined(__AVX2__)

ATTNENGINE_INLINE Narrow narrow(Ints x) {
  const __m256i all = reinterpret_cast<__m256i>(x);
  const __m128i shorts =
      _mm_packs_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
  return reinterpret_cast<Narrow>(_mm_packs_epi16(shorts, shorts)[0]);
}
ATTNENGINE_INLINE Ints widen(const std::int8_t* p) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return reinterpret_cast<Ints>(_mm256_cvtepi8_epi32(bytes));
}
ATTNENGINE_INLINE std::int32_t largest_lane(Ints x) {
  return largest_of_eight(reinterpret_cast<__m256i>(x));
}

#else

ATTNENGINE_INLINE Narrow narrow(Ints x) { return __builtin_convertvector(x, Narrow); }
#if defined(__aarch64__)
ATTNENGINE_INLINE Ints widen(const std::int8_t* p) {
  const int8x8_t bytes = vget_low_s8(vreinterpretq_s8_s32(broadcast_four(p)));
  return vmovl_s16(vget_low_s16(vmovl_s8(bytes)));
}
ATTNENGINE_INLINE std::int32_t largest_lane(Ints x) { return vmaxvq_s32(x); }
#else
ATTNENGINE_INLINE Ints widen(const std::int8_t* p) {
  return __builtin_convertvector(*reinterpret_cast<const UnalignedNarrow*>(p), Ints);
}
ATTNENGINE_INLINE std::int32_t largest_lane(Ints x) {
  std::int32_t largest = x[0];
  for (std::int64_t i = 1; i < kLanes; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}
#endif

#endif

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)

// Four products in each lane, of bytes without a sign and others.
ATTNENGINE_INLINE Ints add_dots(Ints sums, Ints unsigned_bytes, Ints bytes) {
#if defined(__AVX512VNNI__)
  return reinterpret_cast<Ints>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sums),
                                                    reinterpret_cast<__m512i>(unsigned_bytes),
                                                    reinterpret_cast<__m512i>(bytes)));
#else
  return reinterpret_cast<Ints>(_mm256_dpbusd_avx_epi32(reinterpret_cast<__m256i>(sums),
                                                        reinterpret_cast<__m256i>(unsigned_bytes),
                                                        reinterpret_cast<__m256i>(bytes)));
#endif
}

// The instruction takes one side without a sign: the weights are 128 higher, which adds 128 times
// the sum of the inputs.
using Quad = Ints;
ATTNENGINE_INLINE Quad quad(const std::int8_t* p) { return broadcast_four(p); }
ATTNENGINE_INLINE Bytes load_weights(const std::int8_t* p) {
  const Ints signs = broadcast_int(std::int32_t(0x80808080u));
  return reinterpret_cast<Bytes>(
      reinterpret_cast<Ints>(*reinterpret_cast<const UnalignedBytes*>(p)) ^ signs);
}
ATTNENGINE_INLINE Ints first_sums(std::int32_t sum) { return broadcast_int(-128 * sum); }
ATTNENGINE_INLINE Ints dot(Ints sums, Bytes weights, Quad quad) {
  return add_dots(sums, reinterpret_cast<Ints>(weights), quad);
}

#else

ATTNENGINE_INLINE Bytes load_weights(const std::int8_t* p) {
  return *reinterpret_cast<const UnalignedBytes*>(p);
}
ATTNENGINE_INLINE Ints first_sums(std::int32_t) { return Ints{}; }

#if defined(__AVX512BW__)

// The instruction takes one side without a sign: the inputs' sign moves to the weights. Two
// products of at most 127 * 127 fit in 16 bits.
struct Quad {
  __m512i magnitude;
  __mmask64 negative;
};
ATTNENGINE_INLINE Quad quad(const std::int8_t* p) {
  const __m512i x = reinterpret_cast<__m512i>(broadcast_four(p));
  return {_mm512_abs_epi8(x), _mm512_movepi8_mask(x)};
}
ATTNENGINE_INLINE Ints dot(Ints sums, Bytes weights, const Quad& quad) {
  const __m512i w = reinterpret_cast<__m512i>(weights);
  const __m512i turned = _mm512_mask_sub_epi8(w, quad.negative, __m512i{}, w);
  const __m512i pairs = _mm512_maddubs_epi16(quad.magnitude, turned);
  const __m512i ones = reinterpret_cast<__m512i>(broadcast_int(0x00010001));
  return sums + reinterpret_cast<Ints>(_mm512_madd_epi16(pairs, ones));
}

#elif defined(__AVX2__)

// As for AVX-512.
struct Quad {
  __m256i magnitude;
  __m256i value;
};
ATTNENGINE_INLINE Quad quad(const std::int8_t* p) {
  const __m256i x = reinterpret_cast<__m256i>(broadcast_four(p));
  return {_mm256_abs_epi8(x), x};
}
ATTNENGINE_INLINE Ints dot(Ints sums, Bytes weights, const Quad& quad) {
  const __m256i turned = _mm256_sign_epi8(reinterpret_cast<__m256i>(weights), quad.value);
  const __m256i pairs = _mm256_maddubs_epi16(quad.magnitude, turned);
  const __m256i ones = reinterpret_cast<__m256i>(broadcast_int(0x00010001));
  return sums + reinterpret_cast<Ints>(_mm256_madd_epi16(pairs, ones));
}

#elif defined(__aarch64__)

using Quad = int8x16_t;
ATTNENGINE_INLINE Quad quad(const std::int8_t* p) {
  typedef float Four __attribute__((aligned(1), may_alias));  // straight into a vector register
  return vreinterpretq_s8_f32(vdupq_n_f32(*reinterpret_cast<const Four*>(p)));
}
ATTNENGINE_INLINE Ints dot(Ints sums, Bytes weights, Quad quad) {
#if defined(__ARM_FEATURE_DOTPROD)
  return vdotq_s32(sums, weights, quad);
#else  // two products of at most 127 * 127 fit in 16 bits
  const int16x8_t lower = vmull_s8(vget_low_s8(weights), vget_low_s8(quad));
  return vpadalq_s16(sums, vpaddq_s16(lower, vmull_high_s8(weights, quad)));
#endif
}

#else

// Even and odd bytes apart, in 16 bits, into which two products of at most 127 * 127 fit.
typedef std::int16_t Shorts __attribute__((vector_size(4 * kLanes)));
struct Quad {
  Shorts even;
  Shorts odd;
};
ATTNENGINE_INLINE Quad halves(Ints bytes) {
  const Shorts both = reinterpret_cast<Shorts>(bytes);
  return {(both << 8) >> 8, both >> 8};
}
ATTNENGINE_INLINE Quad quad(const std::int8_t* p) { return halves(broadcast_four(p)); }
ATTNENGINE_INLINE Ints dot(Ints sums, Bytes weights, const Quad& quad) {
  const Quad w = halves(reinterpret_cast<Ints>(weights));
  const Ints pairs = reinterpret_cast<Ints>(w.even * quad.even + w.odd * quad.odd);
  return sums + ((pairs << 16) >> 16) + (pairs >> 16);
}

#endif
#endif

}  // namespace attnengine::ATTNENGINE_ISA
