#include "layers/norm.h"

#include "core/expect.h"
#include "kernels/kernels.h"

namespace attnengine {

LayerNorm::LayerNorm(std::vector<float> weight, std::vector<float> bias, float eps)
    : weight_(std::move(weight)), bias_(std::move(bias)), eps_(eps) {
  expect_equal(static_cast<std::int64_t>(bias_.size()), size(), "norm bias.shape[0]");
}

void LayerNorm::operator()(ConstMatrix x, Matrix y) const {
  kernels().layer_norm(x, weight_.data(), bias_.data(), eps_, y);
}

void RMSNorm::operator()(ConstMatrix x, Matrix y) const {
  kernels().rms_norm(x, weight_.data(), eps_, y);
}

}  // namespace attnengine
