#pragma once

#include <stdexcept>

namespace attnengine {

// The C++ side of attnengine/errors.py; bindings/errors.cc translates them.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct InvalidArgument : Error {
  using Error::Error;
};

}  // namespace attnengine
