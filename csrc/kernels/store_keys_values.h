#pragma once

#include "core/matrix.h"
#include "kernels/steps/pages.h"

namespace attnengine::ATTNENGINE_ISA {

// Rows of keys and then values (rows, at least 2 * heads.count * heads.head_dim) -> cells (rows,),
// `offset` bytes into their pages.
void store_keys_values(ConstMatrix keys_values, PageHeads heads, const PageCell* cells,
                       std::int64_t offset);

}  // namespace attnengine::ATTNENGINE_ISA
