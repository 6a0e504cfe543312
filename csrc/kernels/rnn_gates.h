#pragma once

#include "core/steps.h"

namespace attnengine::ATTNENGINE_ISA {

// hidden = tanh(input + recurrent), or relu
void elman_gates(const GatesStep& step, Activation activation);

// PyTorch's form, gates r, z, n:
//   hidden = (1 - z) * tanh(input_n + r * recurrent_n) + z * state
void gru_gates(const GatesStep& step);

// Gates i, f, g, o: cell = f * state + i * tanh(g), hidden = o * tanh(cell)
void lstm_gates(const GatesStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
