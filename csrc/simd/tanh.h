#pragma once

#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {

ATTNENGINE_INLINE Floats clamp(Floats x, float limit) {
  return min(broadcast(limit), max(broadcast(-limit), x));
}

// tanh(x) = x * P(x^2) / Q(x^2), a minimax fit on [0, 9] with a relative error of 2e-8: at most
// 7 units in the last place (4e-7, near 1), never beyond 1, which it reaches at 9.04; NaN stays.
ATTNENGINE_INLINE Floats tanh(Floats x) {
  const Floats clamped = clamp(x, 9.04f);
  const Floats z = clamped * clamped;
  Floats p = broadcast(1.33542092e-8f);
  p = fma(p, z, broadcast(2.06087475e-5f));
  p = fma(p, z, broadcast(0.00349556768f));
  p = fma(p, z, broadcast(0.133810085f));
  p = fma(p, z, broadcast(1.0f));

  Floats q = broadcast(7.77637033e-7f);
  q = fma(q, z, broadcast(0.000328560139f));
  q = fma(q, z, broadcast(0.0258769045f));
  q = fma(q, z, broadcast(0.467143241f));
  q = fma(q, z, broadcast(1.0f));
  return clamp(clamped * p / q, 1.0f);
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
