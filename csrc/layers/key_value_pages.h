#pragma once

#include <cstdint>

#include "core/steps.h"

namespace attnengine {

// Key heads that lie behind one another in a page, such as those of all layers.
struct PageHeads {
  std::int64_t count;
  std::int64_t head_dim;

  std::int64_t size() const { return count * page_head_size(head_dim); }  // floats
};

// Where the keys and values of a row go.
struct PageCell {
  float* page;
  std::int64_t place;  // below kPage
};

// Rows of keys and then values (rows, at least 2 * heads.count * heads.head_dim) -> cells (rows,),
// `offset` floats into their pages.
void store_keys_values(ConstMatrix keys_values, PageHeads heads, const PageCell* cells,
                       std::int64_t offset);

// The first `count` positions of a page.
void copy_positions(const float* from, PageHeads heads, std::int64_t count, float* to);

}  // namespace attnengine
