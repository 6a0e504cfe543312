#pragma once

#include "core/activation.h"
#include "core/matrix.h"
#include "core/range.h"

namespace attnengine {

// y = activation(x @ weight.T + bias), or with `add` activation(y + x @ weight.T + bias)
struct LinearStep {
  ConstMatrix x;          // (rows, in)
  const void* packed;     // what `pack` of the same precision made
  const float* bias;      // (out,) or null
  Activation activation;  // of the sum
  Matrix y;               // (rows, out)
  bool add = false;
  void* scratch = nullptr;  // `scratch` bytes of the same precision, at a multiple of 64
};

// Outputs are packed in panels of 16, with zeros after the last output.
constexpr std::int64_t kPanel = 16;
[[gnu::always_inline]] constexpr std::int64_t panel_count(std::int64_t out) {
  return ceil_divide(out, kPanel);
}

// Some panels, [first, last), of some rows of a weight, packed for one precision.
struct PackStep {
  ConstMatrix weight;  // (rows, in), the first of a panel
  std::int64_t first;
  std::int64_t last;
  void* packed;  // that panel and those that follow, at a multiple of 64 bytes
};

// The weights of one output out of a packed weight.
struct UnpackStep {
  const void* packed;  // all of it
  std::int64_t output;
  float* row;  // (in,)
  std::int64_t in;
};

}  // namespace attnengine
