#include "models/transformer/state.h"

#include <algorithm>

namespace attnengine {

void TransformerState::copy_tokens(const std::byte* from, std::int64_t tokens,
                                   std::byte* to) const {
  const std::int64_t keys = heads.head_dim * kPage;  // lines of 16 positions: all or nothing
  const std::int64_t count = keys + tokens * value_stride(heads.head_dim);
  const std::int64_t bytes = heads.scale_bytes() + count * bytes_of(heads.precision);
  for (std::int64_t head = 0; head < heads.count; ++head) {
    const std::int64_t first = head * heads.head_bytes();
    std::copy_n(from + first, bytes, to + first);
  }
}

void TransformerState::append_run(const Run& run, std::size_t i) {
  Sequence& to = sequence(run.index);
  for (std::int64_t row = run.first; row < run.first + run.length; ++row) {
    positions[row] = to.length;
    append(to);
  }
  std::vector<std::byte*>& past = pasts[i];
  past.clear();
  for (const SlotHandle handle : to.past) past.push_back(pool_.slot(handle));
  for (std::int64_t row = run.first; row < run.first + run.length; ++row)
    cells[row] = {past[positions[row] / slots_.tokens], positions[row] % slots_.tokens};
}

void TransformerState::resize(std::int64_t rows, std::size_t runs) {
  cells.resize(rows);
  sights.resize(rows);
  source_sights.resize(rows);
  positions.resize(rows);
  if (pasts.size() < runs) pasts.resize(runs);
}

void TransformerState::record(std::int64_t rows, std::int64_t longest_source) {
  scratch.attention.record = keep_attentions ? &self_attentions : nullptr;
  if (!keep_attentions) return;
  std::int64_t longest = 0;
  for (const std::int64_t position : positions) longest = std::max(longest, position + 1);
  self_attentions.start(rows, longest);
  cross_attentions.start(rows, longest_source);
}

void TransformerState::look(const std::vector<Run>& runs, std::int64_t window) {
  if (window == looked) return;
  looked = window;
  for (std::size_t i = 0; i < runs.size(); ++i)
    for (std::int64_t row = runs[i].first; row < runs[i].first + runs[i].length; ++row) {
      const std::int64_t end = positions[row] + 1;
      const std::int64_t first = window ? std::max<std::int64_t>(end - window, 0) : 0;
      sights[row] = {pasts[i].data(), first, end, positions[row]};
    }
}

}  // namespace attnengine
