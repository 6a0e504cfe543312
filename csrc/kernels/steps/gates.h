#pragma once

#include "core/activation.h"
#include "core/matrix.h"

namespace attnengine {

// How a recurrent cell computes its gates.
struct CellOptions {
  Activation nonlinearity = Activation::kTanh;  // of the candidate and of an LSTM's output
  Activation gate = Activation::kSigmoid;       // GRU, LSTM
  const float* peepholes = nullptr;             // (3 * hidden,) of i, f and o, or null; LSTM
  float cell_clip = __builtin_inff();           // LSTM
};

// One step of a recurrent cell after its two products.
struct GatesStep {
  ConstMatrix input;  // (rows, gates * hidden)  x @ weight_ih.T + bias_ih
  // (rows, gates * hidden) h @ weight_hh.T + bias_hh. A GRU that resets before the product has r
  // and z alone, (rows, 2 * hidden).
  ConstMatrix recurrent;
  ConstMatrix state;  // (rows, hidden) GRU: hidden of the step before; LSTM: cell
  Matrix hidden;      // (rows, hidden) out
  Matrix cell;        // (rows, hidden) out, LSTM only
  CellOptions options;
};

}  // namespace attnengine
