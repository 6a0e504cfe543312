#pragma once

#include "simd/exp.h"

namespace attnengine::ATTNENGINE_ISA {

ATTNENGINE_INLINE Floats clamp(Floats x, float limit) {
  return min(broadcast(limit), max(broadcast(-limit), x));
}

// tanh(x) = e / (e + 2) with e = exp(2 |x|) - 1, which keeps its digits near 0, and the sign of x:
// at most 2 units in the last place; NaN stays.
ATTNENGINE_INLINE Floats tanh(Floats x) {
  const Floats magnitude = clamp(x < broadcast(0) ? -x : x, 10.0f);  // where it is 1
  const Exponential exponent = exponential(magnitude + magnitude);
  const Floats e = fma(exponent.scale, exponent.rest, exponent.scale - broadcast(1.0f));
  const Floats y = e / (e + broadcast(2.0f));
  return x < broadcast(0) ? -y : y;
}

// erf(x / sqrt(2)) = x * P(x^2) / Q(x^2), a minimax fit on [0, 5.5] with a relative error of 2e-8:
// at most 8 units in the last place (5e-7, near 1), never beyond 1, which it reaches at 5.56; NaN
// stays. Twice the normal distribution function, less 1.
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
