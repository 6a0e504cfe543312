#pragma once

#include <memory>

#include "core/buffer.h"
#include "layers/linear.h"

namespace attnengine {

// What an output layer reads of a decoder: a linear layer and its activation, or maxout
// (Goodfellow et al. 2013), where units j and size + j of the linear layer compete for place j.
class Readout {
 public:
  // Throws InvalidArgument for maxout of an odd number of units.
  Readout(std::shared_ptr<const Linear> linear, Activation activation, bool maxout);

  std::int64_t in() const { return linear_->in(); }
  std::int64_t size() const { return linear_->out() / (maxout_ ? 2 : 1); }

  // parts (rows, in) -> (rows, size), which lies in one of the buffers
  Matrix operator()(ConstMatrix parts, Buffer& units, Buffer& largest) const;

 private:
  std::shared_ptr<const Linear> linear_;
  Activation activation_;
  bool maxout_;
};

}  // namespace attnengine
