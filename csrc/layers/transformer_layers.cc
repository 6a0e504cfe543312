#include "layers/transformer_layers.h"

#include "core/expect.h"
#include "kernels/kernels.h"

namespace attnengine {

LayerNorm::LayerNorm(std::vector<float> weight, std::vector<float> bias, float eps)
    : weight_(std::move(weight)), bias_(std::move(bias)), eps_(eps) {
  expect_equal(std::int64_t(bias_.size()), size(), "norm bias.shape[0]");
}

void LayerNorm::operator()(ConstMatrix x, Matrix y) const {
  kernels().layer_norm(x, weight_.data(), bias_.data(), eps_, y);
}

void feed_forward(const FeedForward& layer, const BlockNorm& norm, Matrix x,
                  TransformerScratch& scratch) {
  residual(norm, x, scratch, [&](ConstMatrix in, Matrix out) {
    const Matrix intermediate = scratch.intermediate.matrix(in.rows, layer.up->out());
    (*layer.up)(in, intermediate, layer.activation);
    (*layer.down)(constant(intermediate), out);
  });
}

}  // namespace attnengine
