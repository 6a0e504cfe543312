#pragma once

#include <cstdint>
#include <string>

#include "core/errors.h"

namespace attnengine {

// Throws InvalidArgument unless `value` is `expected`; `name` says what it is.
inline void expect_equal(std::int64_t value, std::int64_t expected, const std::string& name) {
  if (value != expected)
    throw InvalidArgument(name + " is " + std::to_string(value) + ", expected " +
                          std::to_string(expected));
}

}  // namespace attnengine
