#include "layers/transformer_layers.h"

#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"

namespace attnengine {
namespace {

// activation(gate) * up: both (rows, 2 * intermediate) -> y (rows, intermediate)
void apply_gate(ConstMatrix both, Activation activation, Matrix y) {
  for (std::int64_t row = 0; row < y.rows; ++row) std::copy_n(both[row], y.cols, y[row]);
  kernels().activate(activation, y);
  for (std::int64_t row = 0; row < y.rows; ++row) {
    const float* up = both[row] + y.cols;
    for (std::int64_t i = 0; i < y.cols; ++i) y[row][i] *= up[i];
  }
}

}  // namespace

float MultiHeadAttention::scale() const { return 1 / std::sqrt(static_cast<float>(head_dim())); }

void feed_forward(const FeedForward& layer, const BlockNorm& norm, Matrix x,
                  TransformerScratch& scratch) {
  residual(norm, x, scratch, [&](ConstMatrix in, Matrix out) {
    Matrix intermediate = scratch.intermediate.matrix(in.rows, layer.up->out());
    (*layer.up)(in, intermediate, layer.gated ? Activation::kNone : layer.activation);
    if (layer.gated) {
      const Matrix gated = scratch.gate.matrix(in.rows, layer.down->in());
      apply_gate(constant(intermediate), layer.activation, gated);
      intermediate = gated;
    }
    (*layer.down)(constant(intermediate), out);
  });
}

}  // namespace attnengine
