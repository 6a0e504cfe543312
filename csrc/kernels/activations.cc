#include "kernels/activations.h"

#include "core/parallel.h"
#include "simd/exp.h"
#include "simd/map.h"
#include "simd/tanh.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

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

}  // namespace

void activate_some(Activation activation, float* x, std::int64_t n) {
  switch (activation) {
    case Activation::kNone:
      return;
    case Activation::kRelu:
      return map(x, x, n, [](Floats v) { return relu(v); });
    case Activation::kTanh:
      return map(x, x, n, [](Floats v) { return tanh(v); });
    case Activation::kSigmoid:
      return map(x, x, n, [](Floats v) { return sigmoid(v); });
    case Activation::kGelu:
      return map(x, x, n, [](Floats v) { return gelu(v); });
    case Activation::kGeluTanh:
      return map(x, x, n, [](Floats v) { return gelu_tanh(v); });
    case Activation::kSilu:
      return map(x, x, n, [](Floats v) { return silu(v); });
  }
}

void activate(Activation activation, Matrix x) {
  parallel_for(x.rows, x.cols, [=](std::int64_t begin, std::int64_t end) {
    activate_some(activation, x[begin], (end - begin) * x.cols);
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
