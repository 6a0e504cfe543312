#pragma once

#include <cstddef>

#include "core/precision.h"
#include "core/range.h"

namespace attnengine {

// Keys and values lie in pages of kPage positions. For each key head a page has the keys side by
// side, (head_dim, kPage), so that the scores of a page are a product, and then the values,
// (kPage, value_stride). In int8 their scales come before them, float32: (kPage,) of the keys and
// (kPage,) of the values.
constexpr std::int64_t kPage = 16;
[[gnu::always_inline]] constexpr std::int64_t pages_of(std::int64_t positions) {
  return ceil_divide(positions, kPage);
}
[[gnu::always_inline]] constexpr std::int64_t value_stride(std::int64_t head_dim) {
  return ceil_divide(head_dim, 16) * 16;
}

constexpr std::int64_t kScaleBytes = 2 * kPage * std::int64_t(sizeof(float));

// Key heads that lie behind one another in a page, such as those of all layers.
struct PageHeads {
  std::int64_t count;
  std::int64_t head_dim;
  CachePrecision precision;

  [[gnu::always_inline]] std::int64_t scale_bytes() const {
    return precision == CachePrecision::kInt8 ? kScaleBytes : 0;
  }
  [[gnu::always_inline]] std::int64_t head_bytes() const {
    return scale_bytes() + kPage * (head_dim + value_stride(head_dim)) * bytes_of(precision);
  }
  [[gnu::always_inline]] std::int64_t bytes() const { return count * head_bytes(); }
};

// Where the keys and values of a row go.
struct PageCell {
  std::byte* page;
  std::int64_t place;  // below kPage
};

}  // namespace attnengine
