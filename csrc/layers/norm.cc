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

PerHeadLayerNorm::PerHeadLayerNorm(std::vector<float> weight, std::int64_t head_dim, float eps)
    : weight_(std::move(weight)),
      head_norm_(std::vector<float>(head_dim, 1.0f), std::vector<float>(head_dim), eps) {}

void PerHeadLayerNorm::operator()(ConstMatrix x, Matrix y) const {
  const std::int64_t head_dim = head_norm_.size(), heads = x.rows * x.cols / head_dim;
  head_norm_({x.data, heads, head_dim}, {y.data, heads, head_dim});
  for (std::int64_t row = 0; row < y.rows; ++row)
    for (std::int64_t i = 0; i < y.cols; ++i) y[row][i] *= weight_[i];
}

void RMSNorm::operator()(ConstMatrix x, Matrix y) const {
  kernels().rms_norm(x, weight_.data(), eps_, y);
}

}  // namespace attnengine
