#pragma once

#include <cstdint>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define ATTNENGINE_INLINE [[gnu::always_inline]] inline

namespace attnengine::ATTNENGINE_ISA {

// One register of floats in the vector notation that GCC and Clang share: eight with AVX2, four
// with SSE2 or NEON. Everything is always inlined, so that no copy for one ISA can serve another.
#if defined(__AVX2__)
constexpr std::int64_t kLanes = 8;
#else
constexpr std::int64_t kLanes = 4;
#endif
typedef float Floats __attribute__((vector_size(4 * kLanes)));
typedef std::int32_t Ints __attribute__((vector_size(4 * kLanes)));
typedef float UnalignedFloats __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

constexpr float kInfinity = __builtin_inff();

ATTNENGINE_INLINE Floats load(const float* p) {
  return *reinterpret_cast<const UnalignedFloats*>(p);
}

ATTNENGINE_INLINE void store(float* p, Floats x) { *reinterpret_cast<UnalignedFloats*>(p) = x; }

ATTNENGINE_INLINE Floats broadcast(float x) { return x - Floats{}; }

// a * b + c, rounded once where the ISA has it.
ATTNENGINE_INLINE Floats fma(Floats a, Floats b, Floats c) {
#if defined(__AVX2__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

// Of a NaN and a number they return b.
ATTNENGINE_INLINE Floats max(Floats a, Floats b) { return a > b ? a : b; }
ATTNENGINE_INLINE Floats min(Floats a, Floats b) { return a < b ? a : b; }

#if defined(__AVX2__)
ATTNENGINE_INLINE Ints first_lanes(std::int64_t n) {
  return Ints{0, 1, 2, 3, 4, 5, 6, 7} < static_cast<std::int32_t>(n);
}
#endif

// The first n lanes from memory, 1 <= n <= kLanes, the others `fill`.
ATTNENGINE_INLINE Floats load_first(const float* p, std::int64_t n, float fill = 0) {
  if (n == kLanes) return load(p);
#if defined(__AVX2__)
  const Ints mask = first_lanes(n);
  const Floats x = _mm256_maskload_ps(p, reinterpret_cast<__m256i>(mask));
  return fill == 0 ? x : (mask ? x : broadcast(fill));
#else
  Floats x = broadcast(fill);
  for (std::int64_t i = 0; i < n; ++i) x[i] = p[i];
  return x;
#endif
}

ATTNENGINE_INLINE void store_first(float* p, Floats x, std::int64_t n) {
  if (n == kLanes) return store(p, x);
#if defined(__AVX2__)
  _mm256_maskstore_ps(p, reinterpret_cast<__m256i>(first_lanes(n)), x);
#else
  for (std::int64_t i = 0; i < n; ++i) p[i] = x[i];
#endif
}

// Whether any lane of a is greater than that of b.
ATTNENGINE_INLINE bool any_greater(Floats a, Floats b) {
#if defined(__AVX2__)
  return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)) != 0;
#else
  const Ints greater = a > b;
  return (greater[0] | greater[1] | greater[2] | greater[3]) != 0;
#endif
}

// Adds or compares the lanes in one fixed order, halving their number.
template <class F>
ATTNENGINE_INLINE float fold(Floats x, F f) {
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2)
    for (std::int64_t i = 0; i < half; ++i) x[i] = f(x[i], x[i + half]);
  return x[0];
}

ATTNENGINE_INLINE float sum(Floats x) {
#if defined(__AVX2__)
  const __m128 four = _mm256_castps256_ps128(x) + _mm256_extractf128_ps(x, 1);
  const __m128 two = four + _mm_movehl_ps(four, four);
  return two[0] + two[1];
#else
  return fold(x, [](float a, float b) { return a + b; });
#endif
}

ATTNENGINE_INLINE float max_lane(Floats x) {
  return fold(x, [](float a, float b) { return a > b ? a : b; });
}

// The sums of kLanes vectors, one in each lane.
ATTNENGINE_INLINE Floats sums(const Floats (&x)[kLanes]) {
#if defined(__AVX2__)
  const __m256 a = _mm256_hadd_ps(_mm256_hadd_ps(x[0], x[1]), _mm256_hadd_ps(x[2], x[3]));
  const __m256 b = _mm256_hadd_ps(_mm256_hadd_ps(x[4], x[5]), _mm256_hadd_ps(x[6], x[7]));
  return _mm256_permute2f128_ps(a, b, 0x20) + _mm256_permute2f128_ps(a, b, 0x31);
#else
  Floats y;
  for (std::int64_t i = 0; i < kLanes; ++i) y[i] = sum(x[i]);
  return y;
#endif
}

}  // namespace attnengine::ATTNENGINE_ISA
