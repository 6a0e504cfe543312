#include "layers/key_value_pages.h"

#include <algorithm>

#include "core/parallel.h"

namespace attnengine {

void store_keys_values(ConstMatrix keys_values, PageHeads heads, const PageCell* cells,
                       std::int64_t offset) {
  const std::int64_t dim = heads.head_dim;
  const auto store_head = [&](std::int64_t head, std::int64_t row) {
    const float* key = keys_values[row] + head * dim;
    const float* value = key + heads.count * dim;
    float* to = cells[row].page + offset + head * page_head_size(dim);
    for (std::int64_t d = 0; d < dim; ++d) to[d * kPage + cells[row].place] = key[d];
    std::copy_n(value, dim, to + dim * kPage + cells[row].place * value_stride(dim));
  };
  // all rows of a head: the 16 of a page write to the same cache lines
  parallel_for(heads.count, keys_values.rows * dim * 2, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t head = begin; head < end; ++head)
      for (std::int64_t row = 0; row < keys_values.rows; ++row) store_head(head, row);
  });
}

void copy_positions(const float* from, PageHeads heads, std::int64_t count, float* to) {
  const std::int64_t keys = heads.head_dim * kPage;  // lines of 16 positions: all or nothing
  for (std::int64_t head = 0; head < heads.count; ++head) {
    const std::int64_t first = head * page_head_size(heads.head_dim);
    std::copy_n(from + first, keys + count * value_stride(heads.head_dim), to + first);
  }
}

}  // namespace attnengine
