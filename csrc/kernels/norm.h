#pragma once

#include "core/matrix.h"

namespace attnengine::ATTNENGINE_ISA {

// Each row: (x - mean) / sqrt(variance + eps) * weight + bias. x and y may be the same.
void layer_norm(ConstMatrix x, const float* weight, const float* bias, float eps, Matrix y);

// Each row: x / sqrt(mean of squares + eps) * weight. x and y may be the same.
void rms_norm(ConstMatrix x, const float* weight, float eps, Matrix y);

}  // namespace attnengine::ATTNENGINE_ISA
