#pragma once

#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {

ATTNENGINE_INLINE Floats clamp(Floats x, float limit) {
  return min(broadcast(limit), max(broadcast(-limit), x));
}

// tanh(x) = 2 n d / (n^2 + d^2) with n / d = tanh(x / 2), n = x * P(x^2) and d = Q(x^2): a minimax
// fit on [0, 9] with a relative error of 2.4e-8. Errors of n and d hardly count where the result is
// near 1. The error is at most 2e-7, 5 units in the last place; no result is beyond 1; NaN stays.
ATTNENGINE_INLINE Floats tanh(Floats x) {
  const Floats limited = clamp(x, 9.02f);  // tanh is 1 there
  const Floats z = limited * limited;
  Floats p = broadcast(4.28029137e-8f);
  p = fma(p, z, broadcast(7.98421272e-5f));
  p = fma(p, z, broadcast(0.0157420309f));
  p = fma(p, z, broadcast(0.5f));

  Floats d = broadcast(2.73023652e-6f);
  d = fma(d, z, broadcast(0.00139449134f));
  d = fma(d, z, broadcast(0.114817329f));
  d = fma(d, z, broadcast(1.0f));
  const Floats n = limited * p;
  return clamp((n + n) * d / fma(d, d, n * n), 1.0f);
}

// erf(x / sqrt(2)) = x * P(x^2) / Q(x^2): twice the normal distribution function, less 1. A minimax
// fit on [0, 5.5] with a relative error of 2e-8. The error is at most 8 units in the last place
// (5e-7, near 1). The result reaches 1 at 5.56 and never exceeds it; NaN stays.
ATTNENGINE_INLINE Floats normal_erf(Floats x) {
  const Floats clamped = clamp(x, 5.56f);
  const Floats z = clamped * clamped;
  Floats p = broadcast(4.58624378e-8f);
  p = fma(p, z, broadcast(1.26030112e-5f));
  p = fma(p, z, broadcast(0.000329136738f));
  p = fma(p, z, broadcast(0.00930289682f));
  p = fma(p, z, broadcast(0.0669168357f));
  p = fma(p, z, broadcast(0.797884548f));

  Floats q = broadcast(1.19902391e-6f);
  q = fma(q, z, broadcast(7.21650639e-5f));
  q = fma(q, z, broadcast(0.00186061551f));
  q = fma(q, z, broadcast(0.0284158468f));
  q = fma(q, z, broadcast(0.250534218f));
  q = fma(q, z, broadcast(1.0f));
  return clamp(clamped * p / q, 1.0f);
}

}  // namespace attnengine::ATTNENGINE_ISA
