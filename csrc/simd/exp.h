#pragma once

#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {

// exp(x) = 2^n * exp(r) with n = round(x / ln 2), |r| <= ln(2) / 2 and a polynomial of degree 6 for
// exp(r): at most 2 units in the last place. Below -87.3 it is 0, above 88 infinity, NaN stays.
ATTNENGINE_INLINE Floats exp(Floats x) {
  const Floats clamped = min(max(x, broadcast(-87.3f)), broadcast(88.0f));
  const Floats magic = broadcast(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const Floats n = fma(clamped, broadcast(1.44269504f), magic) - magic;
  Floats r = fma(n, broadcast(-0.693145752f), clamped);  // ln 2 in two parts
  r = fma(n, broadcast(-1.42860677e-6f), r);

  Floats p = broadcast(1.0f / 720);
  p = fma(p, r, broadcast(1.0f / 120));
  p = fma(p, r, broadcast(1.0f / 24));
  p = fma(p, r, broadcast(1.0f / 6));
  p = fma(p, r, broadcast(0.5f));
  p = fma(p, r, broadcast(1.0f));
  p = fma(p, r, broadcast(1.0f));

  const Ints exponent = (__builtin_convertvector(n, Ints) + 127) << 23;
  Floats y = p * reinterpret_cast<Floats>(exponent);
  y = x < broadcast(-87.3f) ? broadcast(0.0f) : y;
  y = x > broadcast(88.0f) ? broadcast(__builtin_inff()) : y;
  return x == x ? y : x;
}

ATTNENGINE_INLINE Floats sigmoid(Floats x) { return broadcast(1.0f) / (broadcast(1.0f) + exp(-x)); }

}  // namespace attnengine::ATTNENGINE_ISA
