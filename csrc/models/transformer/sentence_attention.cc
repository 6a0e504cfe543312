#include "models/transformer/sentence_attention.h"

#include <algorithm>

#include "layers/self_attention.h"

namespace attnengine {

SentenceAttention::SentenceAttention(const Ragged& ragged, std::int64_t rows, PageHeads heads,
                                     Buffer& buffer)
    : ragged_(ragged), cells_(rows), sights_(rows), positions_(rows) {
  for (const Run& run : ragged.runs()) pages_.resize(pages_.size() + pages_of(run.length));
  std::byte* page = buffer.bytes(static_cast<std::int64_t>(pages_.size()) * heads.bytes());
  for (const std::byte*& start : pages_) {
    start = page;
    page += heads.bytes();
  }
  page = buffer.bytes(0);
  for (const Run& run : ragged.runs()) {
    for (std::int64_t t = 0; t < run.length; ++t) {
      cells_[run.first + t] = {page + t / kPage * heads.bytes(), t % kPage};
      positions_[run.first + t] = t;
    }
    page += pages_of(run.length) * heads.bytes();
  }
}

void SentenceAttention::run(const MultiHeadAttention& attention, ConstMatrix x, Matrix out,
                            bool add, AttentionScratch& scratch) {
  look(attention.window);
  run_self_attention(attention, x, {cells_.data(), sights_.data(), 0, kCache}, out, add, scratch);
}

void SentenceAttention::look(std::int64_t window) {
  if (window == looked_) return;
  looked_ = window;
  const std::byte* const* pages = pages_.data();
  for (const Run& run : ragged_.runs()) {
    const std::int64_t reach = window ? std::min(window, run.length) : run.length;
    for (std::int64_t t = 0; t < run.length; ++t)
      sights_[run.first + t] = {pages, std::max<std::int64_t>(t - reach, 0),
                                std::min(t + reach + 1, run.length), t};
    pages += pages_of(run.length);
  }
}

}  // namespace attnengine
