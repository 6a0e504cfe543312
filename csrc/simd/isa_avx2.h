#pragma once

// Included by vec.h alone.
#include <immintrin.h>

namespace attnengine::ATTNENGINE_ISA {

ATTNENGINE_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
ATTNENGINE_INLINE Floats max(Floats a, Floats b) { return _mm256_max_ps(a, b); }
ATTNENGINE_INLINE Floats min(Floats a, Floats b) { return _mm256_min_ps(a, b); }

ATTNENGINE_INLINE __m256i first_lanes(std::int64_t n) {
  const Ints lane{0, 1, 2, 3, 4, 5, 6, 7};
  return reinterpret_cast<__m256i>(lane < static_cast<std::int32_t>(n));
}

ATTNENGINE_INLINE Floats load_some(const float* p, std::int64_t n, float fill) {
  const __m256i mask = first_lanes(n);
  const Floats x = _mm256_maskload_ps(p, mask);
  return fill == 0 ? x
                   : Floats(_mm256_blendv_ps(broadcast(fill), x, reinterpret_cast<__m256>(mask)));
}

ATTNENGINE_INLINE void store_some(float* p, Floats x, std::int64_t n) {
  _mm256_maskstore_ps(p, first_lanes(n), x);
}

ATTNENGINE_INLINE std::uint32_t which_greater(Floats a, Floats b) {
  return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)));
}

ATTNENGINE_INLINE float sum(Floats x) {
  const __m128 four = _mm256_castps256_ps128(x) + _mm256_extractf128_ps(x, 1);
  const __m128 two = four + _mm_movehl_ps(four, four);
  return two[0] + two[1];
}

ATTNENGINE_INLINE Floats sums(const Floats (&x)[kGroup]) {
  const __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(x[0], x[1]), _mm256_hadd_ps(x[2], x[3]));
  const __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(x[4], x[5]), _mm256_hadd_ps(x[6], x[7]));
  return _mm256_permute2f128_ps(a, b, 0x20) + _mm256_permute2f128_ps(a, b, 0x31);
}

}  // namespace attnengine::ATTNENGINE_ISA
