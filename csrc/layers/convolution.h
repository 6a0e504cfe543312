#pragma once

#include <memory>

#include "core/buffer.h"
#include "layers/linear.h"

namespace attnengine {

// A convolution over time of width 3, with a row of zeros at either end.
class Convolution {
 public:
  // linear (out, 3 * in), the columns of the row before, the row itself and the row after. Throws
  // InvalidArgument when the width is not divisible by 3 or the stride is below 1.
  Convolution(std::shared_ptr<const Linear> linear, std::int64_t stride);

  std::int64_t in() const { return linear_->in() / 3; }
  std::int64_t out() const { return linear_->out(); }
  std::int64_t stride() const { return stride_; }
  // rows: at least 1
  std::int64_t out_rows(std::int64_t rows) const { return (rows - 1) / stride_ + 1; }

  // x (rows, in), y (out_rows(rows), out)
  void operator()(ConstMatrix x, Matrix y, Activation activation, Buffer& neighbours) const;

 private:
  std::shared_ptr<const Linear> linear_;
  std::int64_t stride_;
};

}  // namespace attnengine
