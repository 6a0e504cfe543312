#include "kernels/unpack.h"

#include "kernels/int4_panel.h"
#include "kernels/linear.h"
#include "kernels/linear_bfloat16.h"
#include "kernels/linear_int4.h"
#include "kernels/linear_int8.h"
#include "kernels/quantise.h"
#include "simd/bfloat16.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// The panel of the output; `bytes` of a weight of one panel.
template <class T>
ATTNENGINE_INLINE const T* panel_of(const UnpackStep& step, std::int64_t bytes) {
  const auto* first = static_cast<const std::uint8_t*>(step.packed);
  return reinterpret_cast<const T*>(first + step.output / kPanel * bytes);
}
ATTNENGINE_INLINE std::int64_t lane_of(const UnpackStep& step) { return step.output % kPanel; }

}  // namespace

void unpack_linear(const UnpackStep& step) {
  const auto* from = panel_of<float>(step, packed_linear_bytes(1, step.in)) + lane_of(step);
  for (std::int64_t k = 0; k < step.in; ++k) step.row[k] = from[k * kPanel];
}

void unpack_linear_bfloat16(const UnpackStep& step) {
  const auto* from = panel_of<Pair>(step, packed_bfloat16_bytes(1, step.in)) + lane_of(step);
  for (std::int64_t k = 0; k < step.in; ++k) {
    const Pair pair = from[k / 2 * kPanel];
    const std::uint32_t bits = k % 2 ? pair & 0xffff0000u : pair << 16;
    __builtin_memcpy(step.row + k, &bits, sizeof bits);
  }
}

void unpack_linear_int8(const UnpackStep& step) {
  const auto* block = panel_of<std::int8_t>(step, packed_int8_bytes(1, step.in));
  for (std::int64_t first = 0; first < step.in; first += kScaleBlock) {
    const std::int64_t left = step.in - first, count = left < kScaleBlock ? left : kScaleBlock;
    const auto* scales = reinterpret_cast<const float*>(block + ceil_divide(count, 4) * 4 * kPanel);
    const float scale = scales[lane_of(step)];
    const std::int8_t* from = block + 4 * lane_of(step);
    for (std::int64_t k = 0; k < count; ++k)
      step.row[first + k] = static_cast<float>(from[k / 4 * 4 * kPanel + k % 4]) * scale;
    block = reinterpret_cast<const std::int8_t*>(scales + kPanel);
  }
}

void unpack_linear_int4(const UnpackStep& step) {
  const std::int64_t lane = lane_of(step), in = step.in;
  const auto* panel = panel_of<std::uint8_t>(step, packed_int4_bytes(1, in));
  const float scale = reinterpret_cast<const float*>(panel)[lane];
  for (std::int64_t k = 0; k < in; ++k) {
    const Int4Half half = int4_half(in, k / kHalf);
    const std::int64_t at = k % kHalf / 8 * kInt4Line + 4 * lane + k % 4;
    const int q = panel[half.weights + at] >> (k % 8 / 4 * 4) & 15;
    step.row[k] =
        static_cast<float>(panel[half.steps + lane] * (16 * q - panel[half.zeros + lane])) * scale;
  }
}

}  // namespace attnengine::ATTNENGINE_ISA
