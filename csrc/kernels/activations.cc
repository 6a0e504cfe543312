#include "kernels/activations.h"

#include "core/parallel.h"
#include "simd/map.h"
#include "simd/tanh.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

Floats relu(Floats x) { return max(broadcast(0), x); }

Floats silu(Floats x) { return x * sigmoid(x); }

// x * Phi(x), Phi the normal distribution
Floats gelu(Floats x) {
  Floats y;
  for (int i = 0; i < kLanes; ++i) y[i] = 0.5f * x[i] * (1 + __builtin_erff(x[i] * 0.70710678f));
  return y;
}

// The approximation of GPT-2: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
Floats gelu_tanh(Floats x) {
  const Floats inner = broadcast(0.79788456f) * fma(broadcast(0.044715f) * x * x, x, x);
  return broadcast(0.5f) * x * (broadcast(1) + tanh(inner));
}

template <class F>
void each(Matrix x, F f) {
  parallel_for(x.rows, x.cols * 16, [&](std::int64_t begin, std::int64_t end) {
    map(x[begin], x[begin], (end - begin) * x.cols, f);
  });
}

}  // namespace

void activate(Activation activation, Matrix x) {
  switch (activation) {
    case Activation::kNone:
      return;
    case Activation::kRelu:
      return each(x, [](Floats v) { return relu(v); });
    case Activation::kTanh:
      return each(x, [](Floats v) { return tanh(v); });
    case Activation::kSigmoid:
      return each(x, [](Floats v) { return sigmoid(v); });
    case Activation::kGelu:
      return each(x, [](Floats v) { return gelu(v); });
    case Activation::kGeluTanh:
      return each(x, [](Floats v) { return gelu_tanh(v); });
    case Activation::kSilu:
      return each(x, [](Floats v) { return silu(v); });
  }
}

}  // namespace attnengine::ATTNENGINE_ISA
