#pragma once

#include <cstddef>

#include "core/precision.h"
#include "core/range.h"

namespace attnengine {

// Keys and values lie in pages of kPage positions. Each key head of a page has its keys (head_dim,
// kPage) and then its values (kPage, value_stride); so the scores of a page are a product. In int8
// their scales in float32 come first: (kPage,) of the keys, (kPage,) of the values.
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
  std::int64_t index;  // below kPage
};

}  // namespace attnengine
