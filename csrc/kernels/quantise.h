#pragma once

#include "core/matrix.h"
#include "core/range.h"
#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {

// Numbers in 8 bits, -127 to 127: each block of kScaleBlock has a scale, its largest magnitude /
// 127. Rounded half to even. A block with a number that is not finite has the scale NaN.
constexpr std::int64_t kScaleBlock = 64;
constexpr std::int64_t kHalf = kScaleBlock / 2;

// Rows in 8 bits, as they lie in scratch memory.
struct QuantisedRows {
  std::int64_t blocks;  // of a row
  std::int8_t* values;  // (rows, blocks, kScaleBlock), zeros after the last input
  float* scales;        // (rows, blocks)
  std::int32_t* sums;   // (rows, blocks, 2) of the values of each half of a block

  ATTNENGINE_INLINE std::int32_t sum(std::int64_t row, std::int64_t block) const {
    const std::int32_t* halves = sums + 2 * (row * blocks + block);
    return halves[0] + halves[1];
  }
};

ATTNENGINE_INLINE QuantisedRows rows_from(const QuantisedRows& x, std::int64_t first) {
  const std::int64_t i = first * x.blocks;
  return {x.blocks, x.values + i * kScaleBlock, x.scales + i, x.sums + 2 * i};
}

QuantisedRows quantised_rows(std::int64_t rows, std::int64_t in, void* scratch);
std::int64_t quantised_bytes(std::int64_t rows, std::int64_t in);

// The first `count` of kScaleBlock numbers are those at x, the others are zeros; returns their
// scale.
float quantise_block(const float* x, std::int64_t count, std::int8_t* values);

// All rows, in parallel if there are many.
void quantise_rows(ConstMatrix x, const QuantisedRows& quantised);

}  // namespace attnengine::ATTNENGINE_ISA
