#pragma once

#include "kernels/steps/gates.h"

namespace attnengine::ATTNENGINE_ISA {

// Written for the usual activations, sigmoid of the gates and tanh.

// hidden = tanh(input + recurrent)
void elman_gates(const GatesStep& step);

// PyTorch's form, gates r, z, n:
//   hidden = (1 - z) * tanh(input_n + r * recurrent_n) + z * state
void gru_gates(const GatesStep& step);

// The same with the reset gate before the product of n (Cho et al. 2014), in two parts:
//   reset = r * state, (rows, hidden)
//   hidden = (1 - z) * tanh(input_n + candidate) + z * state, candidate (rows, hidden)
void gru_reset(const GatesStep& step, Matrix reset);
void gru_update(const GatesStep& step, ConstMatrix candidate);

// Gates i, f, g, o: cell = f * state + i * tanh(g), hidden = o * tanh(cell). Peepholes add
// p_i * state, p_f * state and p_o * cell to what i, f and o are the sigmoids of.
void lstm_gates(const GatesStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
