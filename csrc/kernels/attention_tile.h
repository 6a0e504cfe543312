#pragma once

#include "kernels/steps/scaled_dot.h"
#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {

constexpr std::int64_t kBlock = 64;     // positions of one update of the running softmax
constexpr int kPages = kBlock / kPage;  // of a block

// How many queries a tile takes: sums of queries x vectors fill the registers.
#if defined(__AVX2__) || defined(__aarch64__)
constexpr int kMaxRows = 6;
#else
constexpr int kMaxRows = 2;
#endif

ATTNENGINE_INLINE std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
ATTNENGINE_INLINE std::int64_t most(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

// The pages that hold some positions.
ATTNENGINE_INLINE Range pages_with(Range positions) {
  return {positions.begin / kPage, ceil_divide(positions.end, kPage)};
}

ATTNENGINE_INLINE Range hull(Range a, Range b) {
  return {least(a.begin, b.begin), most(a.end, b.end)};
}

// One head of one row, and its running softmax: weights are relative to `max`, `sum` is theirs.
struct Query {
  const float* query;  // (head_dim,)
  float* context;      // (head_dim,)
  float* weights;      // (positions,) or null
  const VisibleRange* visible;
  std::int64_t head;
  float max = -kInfinity;
  float sum = 0;

  // The positions of a block that it sees, counted from the block's first.
  ATTNENGINE_INLINE Range seen(std::int64_t block) const {
    return {most(visible->begin - block, 0), least(visible->end - block, kBlock)};
  }
};

// Up to kMaxRows queries that see the same pages of a block.
struct AttentionTile {
  Query* queries;
  std::int64_t block;              // its first position
  const std::byte* pages[kPages];  // of the key head, those that any query sees
  const std::byte* ahead[kPages];  // to be prefetched: of the next block or head
  Range range;                     // of these pages
  Range seen[kMaxRows];            // positions of the block
  float scores[kMaxRows][kBlock];
};

// The scores of a block, their part of the running softmax, and the weighted values, for the first
// `rows` queries of the tile.
void attend_tile(const ScaledDotStep& step, std::int64_t rows, AttentionTile& tile);

}  // namespace attnengine::ATTNENGINE_ISA
