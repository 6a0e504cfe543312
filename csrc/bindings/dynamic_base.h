#pragma once

#include <optional>
#include <tuple>

#include <pybind11/stl.h>

#include "layers/rotary.h"

namespace attnengine {

// (base, factor, trained), or None.
using Dynamic = std::optional<std::tuple<double, double, std::int64_t>>;

inline std::optional<DynamicBase> dynamic_base(const Dynamic& given) {
  if (!given) return std::nullopt;
  const auto [base, factor, trained] = *given;
  return DynamicBase{base, factor, trained};
}

}  // namespace attnengine
