#include "kernels/norm.h"

#include "core/parallel.h"
#include "simd/map.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

void norm_row(const float* x, const float* weight, const float* bias, float eps, std::int64_t n,
              float* y) {
  const float size = static_cast<float>(n);
  const float mean =
      sum_of(n, [x](std::int64_t i, std::int64_t count) { return load_first(x + i, count); }) /
      size;
  const float variance = sum_of(n,
                                [x, mean](std::int64_t i, std::int64_t count) {
                                  const Floats d = load_first(x + i, count, mean) - broadcast(mean);
                                  return d * d;
                                }) /
                         size;
  const Floats scale = broadcast(1 / __builtin_sqrtf(variance + eps));
  for_lanes(n, [=](std::int64_t i, std::int64_t count) {
    const Floats normed = (load_first(x + i, count) - broadcast(mean)) * scale;
    const Floats result = fma(normed, load_first(weight + i, count), load_first(bias + i, count));
    store_first(y + i, result, count);
  });
}

void rms_norm_row(const float* x, const float* weight, float eps, std::int64_t n, float* y) {
  const float squares = sum_of(n, [x](std::int64_t i, std::int64_t count) {
    const Floats v = load_first(x + i, count);
    return v * v;
  });
  const Floats scale = broadcast(1 / __builtin_sqrtf(squares / static_cast<float>(n) + eps));
  for_lanes(n, [=](std::int64_t i, std::int64_t count) {
    const Floats normed = load_first(x + i, count) * scale;
    store_first(y + i, normed * load_first(weight + i, count), count);
  });
}

}  // namespace

void layer_norm(ConstMatrix x, const float* weight, const float* bias, float eps, Matrix y) {
  const std::int64_t n = x.cols;
  parallel_for(x.rows, n, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) norm_row(x[row], weight, bias, eps, n, y[row]);
  });
}

void rms_norm(ConstMatrix x, const float* weight, float eps, Matrix y) {
  const std::int64_t n = x.cols;
  parallel_for(x.rows, n, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) rms_norm_row(x[row], weight, eps, n, y[row]);
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
