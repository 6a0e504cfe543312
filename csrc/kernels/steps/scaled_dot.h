#pragma once

#include "core/matrix.h"
#include "kernels/steps/pages.h"

namespace attnengine {

// Added to the scores of a head by the distance, key's position less query's, or by the key alone.
struct ScoreBias {
  const float* table = nullptr;  // (num_heads, 2 * reach + 1), where a distance beyond `reach`
                                 // reads the end; or null
  std::int64_t reach = 0;
  const float* slopes = nullptr;  // (num_heads,) of a distance; or null
  const float* keys = nullptr;    // (num_heads, positions) by position of the key; or null
  std::int64_t positions = 0;     // at least the end of every row
};

// What a row attends to.
struct VisibleRange {
  const std::byte* const* pages;  // of the positions from 0 on
  std::int64_t begin;             // the first position seen
  std::int64_t end;               // after the last one, above `begin`
  std::int64_t position;          // of the row itself, for distances
};

// Scaled dot-product attention of many heads over positions in pages.
struct ScaledDotStep {
  ConstMatrix query;            // (rows, at least num_heads * head_dim)
  const VisibleRange* visible;  // (rows,)
  std::int64_t page_offset;     // bytes from a page to its first key head
  std::int64_t num_heads;
  PageHeads kv_heads;  // their count divides num_heads
  float scale;
  Matrix context;       // (rows, num_heads * head_dim)
  Matrix weights = {};  // (rows * num_heads, positions) or no data; zero where a row does not see
  float score_cap = 0;  // scores become cap * tanh(score / cap); 0: they stay
  ScoreBias bias = {};
};

}  // namespace attnengine
