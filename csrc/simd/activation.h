#pragma once

#include "core/activation.h"
#include "simd/exp.h"
#include "simd/tanh.h"

namespace attnengine::ATTNENGINE_ISA {

ATTNENGINE_INLINE Floats relu(Floats x) { return max(broadcast(0), x); }

ATTNENGINE_INLINE Floats silu(Floats x) { return x * sigmoid(x); }

// x * Phi(x), Phi the normal distribution function; an error of at most 2e-7 * |x|
ATTNENGINE_INLINE Floats gelu(Floats x) {
  return broadcast(0.5f) * x * (broadcast(1) + normal_erf(x));
}

// The approximation of GPT-2: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
ATTNENGINE_INLINE Floats gelu_tanh(Floats x) {
  const Floats inner = broadcast(0.79788456f) * fma(broadcast(0.044715f) * x * x, x, x);
  return broadcast(0.5f) * x * (broadcast(1) + tanh(inner));
}

// slope * x + 1/2 limited to [0, 1]; NaN stays.
ATTNENGINE_INLINE Floats hard_sigmoid(Floats x, float slope) {
  return min(broadcast(1), max(broadcast(0), fma(broadcast(slope), x, broadcast(0.5f))));
}

// Calls use(f), f being the activation of a vector.
template <class Use>
ATTNENGINE_INLINE void with_activation(Activation activation, Use use) {
  switch (activation) {
    case Activation::kNone:
      return use([](Floats x) { return x; });
    case Activation::kRelu:
      return use([](Floats x) { return relu(x); });
    case Activation::kTanh:
      return use([](Floats x) { return tanh(x); });
    case Activation::kSigmoid:
      return use([](Floats x) { return sigmoid(x); });
    case Activation::kGelu:
      return use([](Floats x) { return gelu(x); });
    case Activation::kGeluTanh:
      return use([](Floats x) { return gelu_tanh(x); });
    case Activation::kSilu:
      return use([](Floats x) { return silu(x); });
    case Activation::kHardSigmoid:
      return use([](Floats x) { return hard_sigmoid(x, 1.0f / 5); });
    case Activation::kHardSigmoid6:
      return use([](Floats x) { return hard_sigmoid(x, 1.0f / 6); });
  }
}

// One activation, chosen for each vector anew: for kernels with several.
ATTNENGINE_INLINE Floats activated(Activation activation, Floats x) {
  with_activation(activation, [&](auto f) { x = f(x); });
  return x;
}

}  // namespace attnengine::ATTNENGINE_ISA
