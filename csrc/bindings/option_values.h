#pragma once

#include <string>
#include <type_traits>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace attnengine {

// Converts the value of an option. An integer must be given as an integer; a float may be given as
// an integer too. Raises TypeError, which names the option, for another type.
template <class Value>
Value option_value(const std::string& name, pybind11::handle given) {
  pybind11::detail::make_caster<Value> caster;
  if (!caster.load(given, std::is_floating_point_v<Value>))
    throw pybind11::type_error(name + " is " + pybind11::repr(given).template cast<std::string>() +
                               ", expected a value of another type");
  return pybind11::detail::cast_op<Value>(caster);
}

}  // namespace attnengine
