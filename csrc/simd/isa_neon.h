#pragma once

// Included by vec.h alone.
#include <arm_neon.h>

namespace attnengine::ATTNENGINE_ISA {

ATTNENGINE_INLINE Floats fma(Floats a, Floats b, Floats c) { return vfmaq_f32(c, a, b); }
// The instructions for these give NaN where either is, or the other number.
ATTNENGINE_INLINE Floats max(Floats a, Floats b) { return a > b ? a : b; }
ATTNENGINE_INLINE Floats min(Floats a, Floats b) { return a < b ? a : b; }

ATTNENGINE_INLINE Floats load_some(const float* p, std::int64_t n, float fill) {
  Floats x = vld1q_lane_f32(p, broadcast(fill), 0);
  if (n > 1) x = vld1q_lane_f32(p + 1, x, 1);
  if (n > 2) x = vld1q_lane_f32(p + 2, x, 2);
  return x;
}

ATTNENGINE_INLINE void store_some(float* p, Floats x, std::int64_t n) {
  vst1q_lane_f32(p, x, 0);
  if (n > 1) vst1q_lane_f32(p + 1, x, 1);
  if (n > 2) vst1q_lane_f32(p + 2, x, 2);
}

ATTNENGINE_INLINE std::uint32_t which_greater(Floats a, Floats b) {
  return static_cast<std::uint32_t>(vaddvq_s32((a > b) & Ints{1, 2, 4, 8}));
}

ATTNENGINE_INLINE float sum(Floats x) { return vaddvq_f32(x); }

ATTNENGINE_INLINE Floats sums(const Floats (&x)[kGroup]) {
  return vpaddq_f32(vpaddq_f32(x[0], x[1]), vpaddq_f32(x[2], x[3]));
}

}  // namespace attnengine::ATTNENGINE_ISA
