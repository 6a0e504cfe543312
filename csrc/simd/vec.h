#pragma once

#include <cstdint>

#define ATTNENGINE_INLINE [[gnu::always_inline]] inline

namespace attnengine::ATTNENGINE_ISA {

// One register of floats, in the vector notation that GCC and Clang share. Everything is always
// inlined, so that no copy for one ISA can serve another. kGroup vectors are summed together.
#if defined(__AVX512F__)
constexpr std::int64_t kLanes = 16, kGroup = 8;
#elif defined(__AVX2__)
constexpr std::int64_t kLanes = 8, kGroup = 8;
#else
constexpr std::int64_t kLanes = 4, kGroup = 4;
#endif
typedef float Floats __attribute__((vector_size(4 * kLanes)));
typedef std::int32_t Ints __attribute__((vector_size(4 * kLanes)));
typedef float UnalignedFloats __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

constexpr float kInfinity = __builtin_inff();
constexpr float kTiny = 0x1p-100f;  // blocks of smaller magnitudes are quantised to zeros

ATTNENGINE_INLINE Floats load(const float* p) {
  return *reinterpret_cast<const UnalignedFloats*>(p);
}

ATTNENGINE_INLINE void store(float* p, Floats x) { *reinterpret_cast<UnalignedFloats*>(p) = x; }

ATTNENGINE_INLINE Floats broadcast(float x) { return x - Floats{}; }

ATTNENGINE_INLINE Ints broadcast_int(std::int32_t x) { return x - Ints{}; }

}  // namespace attnengine::ATTNENGINE_ISA

// What each ISA does in its own way:
//   fma(a, b, c)                a * b + c, rounded once where the ISA has it
//   max(a, b), min(a, b)        b where one of the two is NaN
//   load_some(p, n, fill)       the first n < kLanes lanes from memory, the others `fill`
//   store_some(p, x, n)         the first n < kLanes lanes to memory
//   which_greater(a, b)         bit i tells whether lane i of a is greater than that of b
//   sum(x)                      of all lanes, in one fixed order
//   sums(x[kGroup])             of each vector, in the first kGroup lanes
#if defined(__AVX512F__)
#include "simd/isa_avx512.h"
#elif defined(__AVX2__)
#include "simd/isa_avx2.h"
#elif defined(__aarch64__)
#include "simd/isa_neon.h"
#else
#include "simd/isa_plain.h"
#endif

namespace attnengine::ATTNENGINE_ISA {

// The first n lanes from memory, 1 <= n <= kLanes, the others `fill`.
ATTNENGINE_INLINE Floats load_first(const float* p, std::int64_t n, float fill = 0) {
  return n == kLanes ? load(p) : load_some(p, n, fill);
}

ATTNENGINE_INLINE void store_first(float* p, Floats x, std::int64_t n) {
  if (n == kLanes)
    store(p, x);
  else
    store_some(p, x, n);
}

ATTNENGINE_INLINE float max_lane(Floats x) {
  typedef float Four __attribute__((vector_size(16)));
  Four parts[kLanes / 4];
  __builtin_memcpy(parts, &x, sizeof x);
  for (std::int64_t half = kLanes / 8; half > 0; half /= 2)
    for (std::int64_t i = 0; i < half; ++i)
      parts[i] = parts[i] > parts[i + half] ? parts[i] : parts[i + half];
  const float first = parts[0][0] > parts[0][1] ? parts[0][0] : parts[0][1];
  const float second = parts[0][2] > parts[0][3] ? parts[0][2] : parts[0][3];
  return first > second ? first : second;
}

}  // namespace attnengine::ATTNENGINE_ISA
