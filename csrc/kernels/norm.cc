#include "kernels/norm.h"

#include "core/parallel.h"
#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

float sum_of(const float* x, std::int64_t n) {
  Floats sums = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) sums += load(x + i);
  if (i < n) sums += load_first(x + i, n - i, 0);
  return sum(sums);
}

float sum_of_squares(const float* x, float mean, std::int64_t n) {
  Floats sums = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Floats d = load(x + i) - broadcast(mean);
    sums = fma(d, d, sums);
  }
  if (i < n) {
    const Floats d = load_first(x + i, n - i, mean) - broadcast(mean);
    sums = fma(d, d, sums);
  }
  return sum(sums);
}

}  // namespace

void layer_norm(ConstMatrix x, const float* weight, const float* bias, float eps, Matrix y) {
  const std::int64_t n = x.cols;
  parallel_for(x.rows, n * 4, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float mean = sum_of(x[row], n) / static_cast<float>(n);
      const float variance = sum_of_squares(x[row], mean, n) / static_cast<float>(n);
      const float scale = 1 / __builtin_sqrtf(variance + eps);
      for (std::int64_t i = 0; i < n; ++i)
        y[row][i] = (x[row][i] - mean) * scale * weight[i] + bias[i];
    }
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
