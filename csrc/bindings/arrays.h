#pragma once

#include <cstdint>
#include <string>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "core/expect.h"
#include "core/matrix.h"

namespace attnengine {

namespace py = pybind11;
using namespace pybind11::literals;

// Contiguous and aligned: anything else is converted.
template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast |
                                 py::detail::npy_api::NPY_ARRAY_ALIGNED_>;
using FloatArray = Array<float>;
using IntArray = Array<std::int32_t>;
using LongArray = Array<std::int64_t>;

inline void expect_dimensions(const py::array& a, std::int64_t expected, const std::string& name) {
  expect_equal(a.ndim(), expected, name + ".ndim");
}

inline ConstMatrix matrix(const FloatArray& a, const std::string& name) {
  expect_dimensions(a, 2, name);
  return {a.data(), a.shape(0), a.shape(1)};
}

inline Matrix writable(FloatArray& a) { return {a.mutable_data(), a.shape(0), a.shape(1)}; }

// A one-dimensional array of the given size.
template <class T>
const T* vector(const Array<T>& a, std::int64_t size, const std::string& name) {
  expect_dimensions(a, 1, name);
  expect_equal(a.shape(0), size, name + ".shape[0]");
  return a.data();
}

}  // namespace attnengine
