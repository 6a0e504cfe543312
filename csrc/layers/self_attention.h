#pragma once

#include "layers/multi_head_attention.h"

namespace attnengine {

// The rows of a step among the pages of their sequences.
struct PagedRows {
  const PageCell* cells;        // (rows,) where their keys and values go
  const VisibleRange* visible;  // (rows,) what they see, themselves included
  std::int64_t offset;          // bytes from a page to the layer's first key head
  CachePrecision precision;     // of the pages
};

// x (rows, hidden) -> out (rows, hidden), or added to it
void run_self_attention(const MultiHeadAttention& attention, ConstMatrix x, const PagedRows& rows,
                        Matrix out, bool add, AttentionScratch& scratch);

}  // namespace attnengine
