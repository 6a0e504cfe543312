#include "kernels/rotary.h"

#include "core/parallel.h"
#include "simd/map.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// x (2 * half,), cosines and sines (half,)
void turn(float* x, const float* cosines, const float* sines, std::int64_t half) {
  for_lanes(half, [=](std::int64_t i, std::int64_t count) {
    const Floats cosine = load_first(cosines + i, count), sine = load_first(sines + i, count);
    const Floats first = load_first(x + i, count), second = load_first(x + half + i, count);
    store_first(x + i, first * cosine - second * sine, count);
    store_first(x + half + i, second * cosine + first * sine, count);
  });
}

}  // namespace

void rotary(const RotaryStep& step) {
  parallel_for(step.x.rows, step.num_heads * step.cosines.cols,
               [&step](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row)
                   for (std::int64_t head = 0; head < step.num_heads; ++head)
                     turn(step.x[row] + head * step.head_dim, step.cosines[row], step.sines[row],
                          step.cosines.cols);
               });
}

}  // namespace attnengine::ATTNENGINE_ISA
