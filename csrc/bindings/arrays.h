#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "core/expect.h"
#include "core/matrix.h"

namespace attnengine {

namespace py = pybind11;
using namespace pybind11::literals;

// A contiguous and aligned array; pybind11 converts other arrays.
template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast |
                                 py::detail::npy_api::NPY_ARRAY_ALIGNED_>;
using FloatArray = Array<float>;
using IntArray = Array<std::int32_t>;
using LongArray = Array<std::int64_t>;
using ByteArray = Array<std::uint8_t>;

inline void expect_dimensions(const py::array& a, std::int64_t expected, const std::string& name) {
  expect_equal(a.ndim(), expected, name + ".ndim");
}

inline ConstMatrix matrix(const FloatArray& a, const std::string& name) {
  expect_dimensions(a, 2, name);
  return {a.data(), a.shape(0), a.shape(1)};
}

// The matrix of a layer's weight. Throws InvalidArgument for a size of 0.
inline ConstMatrix filled_matrix(const FloatArray& a, const std::string& name) {
  const ConstMatrix m = matrix(a, name);
  if (m.rows == 0 || m.cols == 0)
    throw InvalidArgument(name + ".shape is (" + std::to_string(m.rows) + ", " +
                          std::to_string(m.cols) + "), expected sizes of at least 1");
  return m;
}

inline Matrix writable(FloatArray& a) { return {a.mutable_data(), a.shape(0), a.shape(1)}; }

// The data of a one-dimensional array of the given size. Throws InvalidArgument for another shape.
template <class T>
const T* vector(const Array<T>& a, std::int64_t size, const std::string& name) {
  expect_dimensions(a, 1, name);
  expect_equal(a.shape(0), size, name + ".shape[0]");
  return a.data();
}

// The values of a one-dimensional array. Throws InvalidArgument for an empty array.
inline std::vector<float> floats(const FloatArray& a, const std::string& name) {
  expect_dimensions(a, 1, name);
  if (a.size() == 0) throw InvalidArgument(name + ".shape[0] is 0, expected at least 1");
  return {a.data(), a.data() + a.size()};
}

// The values of an optional one-dimensional array; empty if it is absent.
inline std::vector<float> floats(const std::optional<FloatArray>& a, const std::string& name) {
  return a ? floats(*a, name) : std::vector<float>{};
}

// A one-dimensional array of a dtype kind in `kinds`. An empty array may have any dtype, as NumPy
// cannot infer one from an empty list. Throws InvalidArgument for anything else.
inline py::array one_dimension(const py::object& value, const char* kinds, const char* expected,
                               const std::string& name) {
  const py::array a = py::array::ensure(value);
  if (!a) throw InvalidArgument(name + " is not an array, expected " + expected);
  expect_dimensions(a, 1, name);
  if (a.size() > 0 && !std::strchr(kinds, a.dtype().kind()))
    throw InvalidArgument(name + ".dtype is " + py::str(a.dtype()).cast<std::string>() +
                          ", expected " + expected);
  return a;
}

// Converts an array of any integer type to T. Throws InvalidArgument for another type and for a
// number outside the range of T; never rounds or wraps.
template <class T>
std::vector<T> integers(const py::object& value, const std::string& name) {
  const py::array given = one_dimension(value, "iu", "integers", name);
  if (py::isinstance<py::array_t<T>>(given)) {
    const Array<T> same(given);
    return {same.data(), same.data() + same.size()};
  }
  const LongArray wide(given);
  for (py::ssize_t i = 0; i < wide.size(); ++i)
    if (wide.data()[i] < std::numeric_limits<T>::min() ||
        wide.data()[i] > std::numeric_limits<T>::max())
      throw InvalidArgument(name + "[" + std::to_string(i) + "] is " +
                            std::to_string(wide.data()[i]) + ", expected " +
                            std::to_string(std::numeric_limits<T>::min()) + " to " +
                            std::to_string(std::numeric_limits<T>::max()));
  return {wide.data(), wide.data() + wide.size()};
}

inline Array<bool> booleans(const py::object& value, const std::string& name) {
  return Array<bool>(one_dimension(value, "b", "booleans", name));
}

}  // namespace attnengine

namespace pybind11::detail {

// Refuses complex numbers and text: NumPy would drop imaginary parts and parse text.
template <>
class type_caster<attnengine::FloatArray> : public pyobject_caster<attnengine::FloatArray> {
 public:
  bool load(handle value, bool convert) {
    if (isinstance<array>(value)) {
      const dtype type = reinterpret_borrow<array>(value).dtype();
      if (!std::strchr("biufV", type.kind()))
        throw attnengine::InvalidArgument("an array has dtype " + str(type).cast<std::string>() +
                                          ", expected real numbers");
    }
    return pyobject_caster<attnengine::FloatArray>::load(value, convert);
  }
};

}  // namespace pybind11::detail
