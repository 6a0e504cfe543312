#pragma once

// Included by vec.h alone. With a mask of ones where GCC 12 warns of the form without a mask.
#include <immintrin.h>

namespace attnengine::ATTNENGINE_ISA {

ATTNENGINE_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
ATTNENGINE_INLINE Floats max(Floats a, Floats b) { return _mm512_maskz_max_ps(0xffff, a, b); }
ATTNENGINE_INLINE Floats min(Floats a, Floats b) { return _mm512_maskz_min_ps(0xffff, a, b); }

ATTNENGINE_INLINE __mmask16 first_lanes(std::int64_t n) {
  return static_cast<__mmask16>((1u << n) - 1);
}

ATTNENGINE_INLINE Floats load_some(const float* p, std::int64_t n, float fill) {
  return _mm512_mask_loadu_ps(broadcast(fill), first_lanes(n), p);
}

ATTNENGINE_INLINE void store_some(float* p, Floats x, std::int64_t n) {
  _mm512_mask_storeu_ps(p, first_lanes(n), x);
}

ATTNENGINE_INLINE std::uint32_t which_greater(Floats a, Floats b) {
  return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}

ATTNENGINE_INLINE __m256 add_halves(Floats x) {
  return _mm512_maskz_extractf32x8_ps(0xff, x, 0) + _mm512_maskz_extractf32x8_ps(0xff, x, 1);
}

ATTNENGINE_INLINE float sum(Floats x) {
  const __m256 eight = add_halves(x);
  const __m128 four = _mm256_castps256_ps128(eight) + _mm256_extractf128_ps(eight, 1);
  const __m128 two = four + _mm_movehl_ps(four, four);
  return two[0] + two[1];
}

ATTNENGINE_INLINE Floats sums(const Floats (&x)[kGroup]) {
  const __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(add_halves(x[0]), add_halves(x[1])),
                                  _mm256_hadd_ps(add_halves(x[2]), add_halves(x[3])));
  const __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(add_halves(x[4]), add_halves(x[5])),
                                  _mm256_hadd_ps(add_halves(x[6]), add_halves(x[7])));
  return _mm512_castps256_ps512(_mm256_permute2f128_ps(a, b, 0x20) +
                                _mm256_permute2f128_ps(a, b, 0x31));
}

}  // namespace attnengine::ATTNENGINE_ISA
