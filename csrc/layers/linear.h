#pragma once

#include <vector>

#include "core/buffer.h"
#include "core/steps.h"

namespace attnengine {

// y = activation(x @ weight.T + bias), weight packed once.
class Linear {
 public:
  // weight (out, in), bias (out,) or null
  Linear(ConstMatrix weight, const float* bias);

  std::int64_t in() const { return in_; }
  std::int64_t out() const { return out_; }

  // x (rows, in), y (rows, out)
  void operator()(ConstMatrix x, Matrix y, Activation activation = Activation::kNone) const;

 private:
  std::int64_t in_;
  std::int64_t out_;
  Buffer packed_;
  std::vector<float> bias_;  // (out,) or empty
};

}  // namespace attnengine
