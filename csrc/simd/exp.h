#pragma once

#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {

// exp(x) = scale + scale * rest with scale = 2^n, n = round(x / ln 2). The rest is exp(r) - 1 with
// |r| <= ln(2) / 2: r + r^2 * P(r), a fit with a relative error of 3e-9. The scale is 0 below -87.6
// and infinity above 88.3; NaN stays.
struct Exponential {
  Floats scale;
  Floats rest;
};

// For x from -88 to 88.4.
ATTNENGINE_INLINE Exponential exponential(Floats x) {
  // Adding 1.5 * 2^23 + 127 rounds to an integer and leaves n + 127 in the lowest bits.
  const Floats magic = broadcast(12583039.0f);
  const Floats rounded = fma(x, broadcast(1.44269504f), magic);
  const Floats n = rounded - magic;
  Floats r = fma(n, broadcast(-0.693145752f), x);  // ln 2 in two parts
  r = fma(n, broadcast(-1.42860677e-6f), r);

  Floats p = broadcast(0.00138144667f);
  p = fma(p, r, broadcast(0.00836878043f));
  p = fma(p, r, broadcast(0.0416683942f));
  p = fma(p, r, broadcast(0.166665201f));
  p = fma(p, r, broadcast(0.499999934f));
  return {reinterpret_cast<Floats>(reinterpret_cast<Ints>(rounded) << 23), fma(p * r, r, r)};
}

// At most 1.5 units in the last place.
ATTNENGINE_INLINE Floats exp(Floats x) {
  const Exponential e = exponential(min(broadcast(88.4f), max(broadcast(-88.0f), x)));
  return (broadcast(1.0f) + e.rest) * e.scale;  // never infinity - infinity
}

// exp for x <= 0: nothing overflows there, which saves a rounding.
ATTNENGINE_INLINE Floats exp_of_negative(Floats x) {
  const Exponential e = exponential(max(broadcast(-88.0f), x));
  return fma(e.rest, e.scale, e.scale);
}

ATTNENGINE_INLINE Floats sigmoid(Floats x) { return broadcast(1.0f) / (broadcast(1.0f) + exp(-x)); }

}  // namespace attnengine::ATTNENGINE_ISA
