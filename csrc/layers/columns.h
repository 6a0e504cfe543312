#pragma once

#include <algorithm>

#include "core/matrix.h"

namespace attnengine {

inline void add(ConstMatrix x, Matrix sum) {
  for (std::int64_t i = 0; i < x.rows * x.cols; ++i) sum.data[i] += x.data[i];
}

// to[row][first + c] = from[row][c]: concatenation one part at a time.
inline void copy_columns(ConstMatrix from, Matrix to, std::int64_t first) {
  for (std::int64_t row = 0; row < from.rows; ++row)
    std::copy(from[row], from[row] + from.cols, to[row] + first);
}

}  // namespace attnengine
