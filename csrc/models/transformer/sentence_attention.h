#pragma once

#include <vector>

#include "layers/multi_head_attention.h"
#include "layers/ragged.h"

namespace attnengine {

// Self-attention of whole sentences: a row sees the rows of its sentence, all or those near it.
// Every layer fills the same pages, in float32: nothing is kept for long.
class SentenceAttention {
 public:
  static constexpr CachePrecision kCache = CachePrecision::kFloat32;

  SentenceAttention(const Ragged& ragged, std::int64_t rows, PageHeads heads, Buffer& buffer);

  const std::int64_t* positions() const { return positions_.data(); }  // (rows,) in the sentence

  void run(const MultiHeadAttention& attention, ConstMatrix x, Matrix out, bool add,
           AttentionScratch& scratch);

 private:
  void set_visible(std::int64_t window);

  const Ragged& ragged_;
  std::vector<const std::byte*> pages_;  // of all sentences, one behind the other
  std::vector<PageCell> cells_;          // (rows,)
  std::vector<VisibleRange> visible_;    // (rows,)
  std::vector<std::int64_t> positions_;
  std::int64_t visible_window_ = -1;  // the window of the last `set_visible`
};

}  // namespace attnengine
