#include "layers/convolution.h"

#include <algorithm>
#include <string>

#include "core/errors.h"

namespace attnengine {

Convolution::Convolution(std::shared_ptr<const Linear> linear, std::int64_t stride)
    : linear_(std::move(linear)), stride_(stride) {
  if (linear_->in() % 3 != 0)
    throw InvalidArgument("linear weight.shape[1] is " + std::to_string(linear_->in()) +
                          ", expected a multiple of 3");
  if (stride_ < 1)
    throw InvalidArgument("stride is " + std::to_string(stride_) + ", expected at least 1");
}

void Convolution::operator()(ConstMatrix x, Matrix y, Activation activation,
                             Buffer& neighbours) const {
  const Matrix rows = neighbours.matrix(y.rows, 3 * x.cols);  // [before; itself; after]
  for (std::int64_t row = 0; row < y.rows; ++row)
    for (std::int64_t part = 0; part < 3; ++part) {
      const std::int64_t from = row * stride_ + part - 1;
      float* to = rows[row] + part * x.cols;
      if (from < 0 || from >= x.rows)
        std::fill_n(to, x.cols, 0.0f);
      else
        std::copy_n(x[from], x.cols, to);
    }
  (*linear_)(constant(rows), y, activation);
}

}  // namespace attnengine
