#pragma once

#include "core/activation.h"
#include "core/matrix.h"

namespace attnengine::ATTNENGINE_ISA {

// Element by element, in place.
void activate(Activation activation, Matrix x);

// The same for n numbers, without threads: for kernels that still have them in the cache.
void activate_some(Activation activation, float* x, std::int64_t n);

// y = activation(gate) * up of both (rows, 2 * n), gates first; y (rows, n).
void gated_activation(Activation activation, ConstMatrix both, Matrix y);

// Each element limited to [-limit, limit], in place.
void clip(float limit, Matrix x);

}  // namespace attnengine::ATTNENGINE_ISA
