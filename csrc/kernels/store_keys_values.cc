#include "kernels/store_keys_values.h"

#include "core/parallel.h"
#include "simd/half.h"
#include "simd/map.h"
#include "simd/scaled_bytes.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// How many of n rows lie side by side in the page of the first.
std::int64_t adjacent(const PageCell* cells, std::int64_t n) {
  std::int64_t count = 1;
  while (count < n && cells[count].page == cells[0].page &&
         cells[count].index == cells[0].index + count)
    ++count;
  return count;
}

// Stores keys and values (rows, at least dim) of a head in a page, from `index` on. They are
// rounded by `put(to, x, row, which)`; `which` is 0 for keys and 1 for values.
template <class Number, class Put>
ATTNENGINE_INLINE void put_head(ConstMatrix keys, ConstMatrix values, std::int64_t dim,
                                std::int64_t index, Number* head, Put put) {
  Number* to = head + dim * kPage + index * value_stride(dim);
  for (std::int64_t row = 0; row < keys.rows; ++row, to += value_stride(dim))
    for (std::int64_t d = 0; d < dim; d += kLanes) {
      const std::int64_t lanes = dim - d < kLanes ? dim - d : kLanes;
      Number numbers[kLanes];
      put(numbers, load_first(keys[row] + d, lanes), row, 0);
      for (std::int64_t lane = 0; lane < lanes; ++lane)
        head[(d + lane) * kPage + index + row] = numbers[lane];
      put(to + d, load_first(values[row] + d, lanes), row, 1);
    }
}

template <class Number>
void store_head(ConstMatrix keys, ConstMatrix values, std::int64_t dim, std::int64_t index,
                std::byte* head) {
  put_head(keys, values, dim, index, reinterpret_cast<Number*>(head),
           [](Number* to, Floats x, std::int64_t, int) { store(to, x); });
}

// Writes the scales of at most kPage rows (rows, at least dim); inverses (kPage,).
ATTNENGINE_INLINE void scale_rows(ConstMatrix x, std::int64_t dim, float* scales, float* inverses) {
  float most[kPage] = {};
  for (std::int64_t row = 0; row < x.rows; ++row) {
    Ints largest{};
    for_lanes(dim, [&](std::int64_t d, std::int64_t count) {
      largest = larger_magnitudes(largest, load_first(x[row] + d, count));
    });
    most[row] = largest_magnitude(largest);
  }
  for_lanes(x.rows, [&](std::int64_t row, std::int64_t count) {
    const Scales found = scales_of(load(most + row));
    store_first(scales + row, found.scales, count);
    store(inverses + row, found.inverses);
  });
}

template <>
void store_head<std::int8_t>(ConstMatrix keys, ConstMatrix values, std::int64_t dim,
                             std::int64_t index, std::byte* head) {
  float inverses[2][kPage];
  float* scales = reinterpret_cast<float*>(head) + index;
  scale_rows(keys, dim, scales, inverses[0]);
  scale_rows(values, dim, scales + kPage, inverses[1]);
  put_head(keys, values, dim, index, reinterpret_cast<std::int8_t*>(head) + kScaleBytes,
           [&](std::int8_t* to, Floats x, std::int64_t row, int which) {
             store(to, rounded(x, inverses[which][row]));
           });
}

// The same for some heads of all rows.
template <class Number>
void store_heads(ConstMatrix keys_values, PageHeads heads, const PageCell* cells,
                 std::int64_t offset, Range range) {
  const std::int64_t dim = heads.head_dim, rows = keys_values.rows;
  for (std::int64_t row = 0, count; row < rows; row += count) {
    count = adjacent(cells + row, rows - row);
    for (std::int64_t head = range.begin; head < range.end; ++head) {
      const ConstMatrix keys{keys_values[row] + head * dim, count, keys_values.cols};
      const ConstMatrix values{keys.data + heads.count * dim, count, keys_values.cols};
      std::byte* to = cells[row].page + offset + head * heads.head_bytes();
      store_head<Number>(keys, values, dim, cells[row].index, to);
    }
  }
}

}  // namespace

void store_keys_values(ConstMatrix keys_values, PageHeads heads, const PageCell* cells,
                       std::int64_t offset) {
  parallel_for(heads.count, keys_values.rows * heads.head_dim * 2,
               [&](std::int64_t begin, std::int64_t end) {
                 if (heads.precision == CachePrecision::kFloat16)
                   store_heads<Half>(keys_values, heads, cells, offset, {begin, end});
                 else if (heads.precision == CachePrecision::kInt8)
                   store_heads<std::int8_t>(keys_values, heads, cells, offset, {begin, end});
                 else
                   store_heads<float>(keys_values, heads, cells, offset, {begin, end});
               });
}

}  // namespace attnengine::ATTNENGINE_ISA
