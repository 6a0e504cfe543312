#include "kernels/activations.h"

#include "core/parallel.h"
#include "simd/activation.h"
#include "simd/map.h"

namespace attnengine::ATTNENGINE_ISA {

void activate_some(Activation activation, float* x, std::int64_t n) {
  if (activation == Activation::kNone) return;
  with_activation(activation, [=](auto f) { map(x, x, n, f); });
}

void activate(Activation activation, Matrix x) {
  parallel_for(x.rows, x.cols, [=](std::int64_t begin, std::int64_t end) {
    activate_some(activation, x[begin], (end - begin) * x.cols);
  });
}

void gated_activation(Activation activation, ConstMatrix both, Matrix y) {
  const std::int64_t n = y.cols;
  parallel_for(y.rows, 2 * n, [=](std::int64_t begin, std::int64_t end) {
    with_activation(activation, [=](auto f) {
      for (std::int64_t row = begin; row < end; ++row) {
        const float *gate = both[row], *up = gate + n;
        for_lanes(n, [=](std::int64_t i, std::int64_t count) {
          store_first(y[row] + i, f(load_first(gate + i, count)) * load_first(up + i, count),
                      count);
        });
      }
    });
  });
}

void clip(float limit, Matrix x) {
  parallel_for(x.rows, x.cols, [=](std::int64_t begin, std::int64_t end) {
    map(x[begin], x[begin], (end - begin) * x.cols, [=](Floats v) { return clamp(v, limit); });
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
