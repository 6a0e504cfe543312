#include "models/transformer/sentence_attention.h"

#include <algorithm>

#include "layers/self_attention.h"

namespace attnengine {

SentenceAttention::SentenceAttention(const Ragged& ragged, std::int64_t rows, PageHeads heads,
                                     Buffer& buffer)
    : ragged_(ragged), cells_(rows), visible_(rows), positions_(rows) {
  for (const RowRange& range : ragged.ranges())
    pages_.resize(pages_.size() + pages_of(range.length));
  std::byte* page = buffer.bytes(static_cast<std::int64_t>(pages_.size()) * heads.bytes());
  for (const std::byte*& start : pages_) {
    start = page;
    page += heads.bytes();
  }
  page = buffer.bytes(0);
  for (const RowRange& range : ragged.ranges()) {
    for (std::int64_t t = 0; t < range.length; ++t) {
      cells_[range.first + t] = {page + t / kPage * heads.bytes(), t % kPage};
      positions_[range.first + t] = t;
    }
    page += pages_of(range.length) * heads.bytes();
  }
}

void SentenceAttention::run(const MultiHeadAttention& attention, ConstMatrix x, Matrix out,
                            bool add, AttentionScratch& scratch) {
  set_visible(attention.window);
  run_self_attention(attention, x, {cells_.data(), visible_.data(), 0, kCache}, out, add, scratch);
}

void SentenceAttention::set_visible(std::int64_t window) {
  if (window == visible_window_) return;
  visible_window_ = window;
  const std::byte* const* pages = pages_.data();
  for (const RowRange& range : ragged_.ranges()) {
    const std::int64_t reach = window ? std::min(window, range.length) : range.length;
    for (std::int64_t t = 0; t < range.length; ++t)
      visible_[range.first + t] = {pages, std::max<std::int64_t>(t - reach, 0),
                                   std::min(t + reach + 1, range.length), t};
    pages += pages_of(range.length);
  }
}

}  // namespace attnengine
