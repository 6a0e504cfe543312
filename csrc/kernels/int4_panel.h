#pragma once

#include "kernels/quantise.h"
#include "kernels/steps/linear.h"

namespace attnengine::ATTNENGINE_ISA {

// Where the weights of 4 bits of a panel lie, see linear_int4.h.
constexpr std::int64_t kInt4Line = 64;                          // bytes of eight inputs
constexpr std::int64_t kInt4Weights = kHalf / 8 * kInt4Line;    // bytes of a half block
constexpr std::int64_t kInt4Bytes = kInt4Weights + 2 * kPanel;  // with steps and zeros
constexpr std::int64_t kInt4Scales = kPanel * std::int64_t(sizeof(float));

// Halves of blocks, of which the last may be the first of its block.
ATTNENGINE_INLINE std::int64_t int4_halves(std::int64_t in) { return ceil_divide(in, kHalf); }

ATTNENGINE_INLINE std::int64_t int4_panel_bytes(std::int64_t in) {
  const std::int64_t bytes = kInt4Scales + int4_halves(in) * kInt4Bytes;
  return ceil_divide(bytes, 64) * 64;
}

// Bytes from the beginning of a panel to the parts of a half of a block.
struct Int4Half {
  std::int64_t weights, steps, zeros;
};
ATTNENGINE_INLINE Int4Half int4_half(std::int64_t in, std::int64_t half) {
  const std::int64_t first = half / 2 * 2, count = int4_halves(in) - first < 2 ? 1 : 2;
  const std::int64_t block = kInt4Scales + first * kInt4Bytes;
  const std::int64_t steps = block + count * kInt4Weights + (half - first) * kPanel;
  return {block + (half - first) * kInt4Weights, steps, steps + count * kPanel};
}

}  // namespace attnengine::ATTNENGINE_ISA
