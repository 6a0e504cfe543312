#pragma once

#include <cstdint>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define ATTNENGINE_INLINE [[gnu::always_inline]] inline

namespace attnengine::ATTNENGINE_ISA {

// Eight floats, in the vector notation that GCC and Clang share: one register with AVX2, two with
// SSE2 or NEON. Everything is always inlined, so that no copy for one ISA can serve another.
constexpr std::int64_t kLanes = 8;
typedef float Floats __attribute__((vector_size(32)));
typedef std::int32_t Ints __attribute__((vector_size(32)));
typedef float UnalignedFloats __attribute__((vector_size(32), aligned(4), may_alias));

ATTNENGINE_INLINE Floats load(const float* p) {
  return *reinterpret_cast<const UnalignedFloats*>(p);
}

ATTNENGINE_INLINE void store(float* p, Floats x) { *reinterpret_cast<UnalignedFloats*>(p) = x; }

ATTNENGINE_INLINE Floats broadcast(float x) { return Floats{x, x, x, x, x, x, x, x}; }

// The first n of eight floats, the others `fill`.
ATTNENGINE_INLINE Floats load_first(const float* p, std::int64_t n, float fill) {
  Floats x = broadcast(fill);
  for (std::int64_t i = 0; i < n; ++i) x[i] = p[i];
  return x;
}

ATTNENGINE_INLINE void store_first(float* p, Floats x, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) p[i] = x[i];
}

// a * b + c, rounded once where the ISA has it.
ATTNENGINE_INLINE Floats fma(Floats a, Floats b, Floats c) {
#if defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

ATTNENGINE_INLINE Floats max(Floats a, Floats b) { return a > b ? a : b; }
ATTNENGINE_INLINE Floats min(Floats a, Floats b) { return a < b ? a : b; }

// Lanes are combined in one fixed order.
ATTNENGINE_INLINE float sum(Floats x) {
  return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

ATTNENGINE_INLINE float max_lane(Floats x) {
  float m = x[0];
  for (int i = 1; i < kLanes; ++i) m = x[i] > m ? x[i] : m;
  return m;
}

}  // namespace attnengine::ATTNENGINE_ISA
