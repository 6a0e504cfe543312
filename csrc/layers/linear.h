#pragma once

#include <memory>
#include <vector>

#include "core/steps.h"

namespace attnengine {

// Numbers that several own: memory of ours, an array of the caller's, a file that is mapped.
using SharedFloats = std::shared_ptr<const float>;

// y = activation(x @ weight.T + bias), weight packed once.
class Linear {
 public:
  // weight (out, in), bias (out,) or empty
  Linear(ConstMatrix weight, std::vector<float> bias);
  // packed: what `packed()` of a layer of the same shape was, at a multiple of 64 bytes
  Linear(SharedFloats packed, std::int64_t out, std::int64_t in, std::vector<float> bias);

  std::int64_t in() const { return in_; }
  std::int64_t out() const { return out_; }
  // (packed_linear_size(out, in),)
  const SharedFloats& packed() const { return packed_; }
  const std::vector<float>& bias() const { return bias_; }

  // x (rows, in), y (rows, out); with `add` what y holds is a part of the sum
  void operator()(ConstMatrix x, Matrix y, Activation activation = Activation::kNone,
                  bool add = false) const;

 private:
  std::int64_t in_;
  std::int64_t out_;
  SharedFloats packed_;
  std::vector<float> bias_;  // (out,) or empty
};

}  // namespace attnengine
