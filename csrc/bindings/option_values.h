#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace attnengine {

// The type of an option in words, for errors.
template <class Value>
std::string option_type() {
  if (std::is_floating_point_v<Value>) return "a number";
  if (std::is_integral_v<Value>) return "an integer";
  if (std::is_same_v<Value, std::string>) return "a string";
  if (std::is_same_v<Value, std::optional<std::int64_t>>) return "an integer or None";
  if (std::is_same_v<Value, std::optional<std::uint64_t>>) return "an integer or None";
  return "a list";
}

// Converts the value of an option. An integer must be given as an integer; a float may be given as
// an integer too. Raises TypeError, which names the option, for another type.
template <class Value>
Value option_value(const std::string& name, pybind11::handle given) {
  pybind11::detail::make_caster<Value> caster;
  if (!caster.load(given, std::is_floating_point_v<Value>))
    throw pybind11::type_error(name + " is " + pybind11::repr(given).template cast<std::string>() +
                               ", expected " + option_type<Value>());
  return pybind11::detail::cast_op<Value>(caster);
}

}  // namespace attnengine
