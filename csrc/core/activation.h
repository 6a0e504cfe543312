#pragma once

namespace attnengine {

enum class Activation {
  kNone,
  kRelu,
  kTanh,
  kSigmoid,
  kGelu,
  kGeluTanh,
  kSilu,
  kHardSigmoid,   // x / 5 + 1/2 limited to [0, 1]
  kHardSigmoid6,  // x / 6 + 1/2 limited to [0, 1]
};

}  // namespace attnengine
