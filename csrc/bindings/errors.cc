#include "core/errors.h"

#include <pybind11/pybind11.h>

#include "bindings/bind.h"

namespace py = pybind11;

namespace attnengine {
namespace {

void raise(const char* name, const std::exception& error) {
  const py::object type = py::module_::import("attnengine.errors").attr(name);
  PyErr_SetString(type.ptr(), error.what());
}

void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const InvalidArgument& error) {
    raise("InvalidArgument", error);
  } catch (const Error& error) {
    raise("Error", error);
  }
}

}  // namespace

void bind_errors(py::module_&) { py::register_local_exception_translator(translate); }

}  // namespace attnengine
