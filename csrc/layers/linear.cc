#include "layers/linear.h"

#include "kernels/kernels.h"

namespace attnengine {

Linear::Linear(ConstMatrix weight, const float* bias) : in_(weight.cols), out_(weight.rows) {
  kernels().pack_linear(weight, packed_.floats(packed_linear_size(out_, in_)));
  if (bias) bias_.assign(bias, bias + out_);
}

void Linear::operator()(ConstMatrix x, Matrix y, Activation activation) const {
  kernels().linear({x, packed_.data(), bias_.empty() ? nullptr : bias_.data(), activation, y});
}

}  // namespace attnengine
