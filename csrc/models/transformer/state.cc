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

void TransformerState::append_range(const RowRange& range, std::size_t i) {
  Sequence& to = sequence(range.index);
  for (std::int64_t row = range.first; row < range.first + range.length; ++row) {
    positions[row] = to.length;
    append(to);
  }
  std::vector<std::byte*>& past = pasts[i];
  past.clear();
  for (const SlotHandle handle : to.past) past.push_back(pool_.slot(handle));
  for (std::int64_t row = range.first; row < range.first + range.length; ++row)
    cells[row] = {past[positions[row] / slots_.tokens], positions[row] % slots_.tokens};
}

void TransformerState::resize(std::int64_t rows, std::size_t ranges) {
  cells.resize(rows);
  visible.resize(rows);
  visible_sources.resize(rows);
  positions.resize(rows);
  if (pasts.size() < ranges) pasts.resize(ranges);
}

void TransformerState::record(std::int64_t rows, std::int64_t longest_source) {
  scratch.attention.record = keep_all_attentions ? &self_attentions : nullptr;
  if (!keep_all_attentions) return;
  std::int64_t longest = 0;
  for (const std::int64_t position : positions) longest = std::max(longest, position + 1);
  self_attentions.start(rows, longest);
  cross_attentions.start(rows, longest_source);
}

void TransformerState::set_visible(const std::vector<RowRange>& ranges, std::int64_t window) {
  if (window == visible_window) return;
  visible_window = window;
  for (std::size_t i = 0; i < ranges.size(); ++i)
    for (std::int64_t row = ranges[i].first; row < ranges[i].first + ranges[i].length; ++row) {
      const std::int64_t end = positions[row] + 1;
      const std::int64_t first = window ? std::max<std::int64_t>(end - window, 0) : 0;
      visible[row] = {pasts[i].data(), first, end, positions[row]};
    }
}

}  // namespace attnengine
