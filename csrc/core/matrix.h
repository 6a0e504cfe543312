#pragma once

#include <cstdint>

namespace attnengine {

// A row-major window on memory owned elsewhere: cheap to copy, never frees.
template <class T>
struct MatrixView {
  T* data;
  std::int64_t rows;
  std::int64_t cols;

  // Always inlined, so that no copy compiled for one ISA can serve another.
  [[gnu::always_inline]] T* operator[](std::int64_t row) const { return data + row * cols; }
};

using ConstMatrix = MatrixView<const float>;
using Matrix = MatrixView<float>;

[[gnu::always_inline]] inline ConstMatrix constant(const Matrix& m) {
  return {m.data, m.rows, m.cols};
}

// `count` rows of m, beginning with `first`.
template <class T>
[[gnu::always_inline]] inline MatrixView<T> rows_of(const MatrixView<T>& m, std::int64_t first,
                                                    std::int64_t count) {
  return {m[first], count, m.cols};
}

// The columns of m from `first` on: m.cols - first in each row. m.cols is the stride.
[[gnu::always_inline]] inline Matrix columns_from(const Matrix& m, std::int64_t first) {
  return {m.data + first, m.rows, m.cols};
}

}  // namespace attnengine
