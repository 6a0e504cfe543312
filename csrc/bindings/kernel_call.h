#pragma once

#include <cstdint>

#include "bindings/arrays.h"
#include "core/parallel.h"

namespace attnengine {

// Runs f on at most `num_threads` threads, without the GIL. f may use raw pointers, but no Python
// objects.
template <class F>
void run_kernel(int num_threads, const F& f) {
  check_threads(num_threads);
  py::gil_scoped_release unlocked;
  const ThreadScope scope(num_threads);
  f();
}

inline FloatArray new_matrix(std::int64_t rows, std::int64_t cols) {
  return FloatArray({rows, cols});
}

}  // namespace attnengine
