#include "layers/key_value_pages.h"

#include <algorithm>

#include "core/parallel.h"

namespace attnengine {

namespace {

// How many rows from the first on, of n, lie side by side in its page.
std::int64_t adjacent(const PageCell* cells, std::int64_t n) {
  std::int64_t count = 1;
  while (count < n && cells[count].page == cells[0].page &&
         cells[count].place == cells[0].place + count)
    ++count;
  return count;
}

// keys and values (rows, at least dim) of a head, which go to `place` and what follows of a page.
void store_head(ConstMatrix keys, ConstMatrix values, std::int64_t dim, std::int64_t place,
                float* head) {
  for (std::int64_t d = 0; d < dim; ++d)
    for (std::int64_t row = 0; row < keys.rows; ++row) head[d * kPage + place + row] = keys[row][d];
  float* to = head + dim * kPage + place * value_stride(dim);
  for (std::int64_t row = 0; row < keys.rows; ++row)
    std::copy_n(values[row], dim, to + row * value_stride(dim));
}

}  // namespace

void store_keys_values(ConstMatrix keys_values, PageHeads heads, const PageCell* cells,
                       std::int64_t offset) {
  const std::int64_t dim = heads.head_dim, rows = keys_values.rows;
  parallel_for(heads.count, rows * dim * 2, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = 0, count; row < rows; row += count) {
      count = adjacent(cells + row, rows - row);
      for (std::int64_t head = begin; head < end; ++head) {
        const ConstMatrix keys{keys_values[row] + head * dim, count, keys_values.cols};
        const ConstMatrix values{keys.data + heads.count * dim, count, keys_values.cols};
        store_head(keys, values, dim, cells[row].place,
                   cells[row].page + offset + head * page_head_size(dim));
      }
    }
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
