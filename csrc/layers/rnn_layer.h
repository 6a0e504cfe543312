#pragma once

#include <memory>

#include "layers/ragged.h"
#include "layers/rnn_cell.h"

namespace attnengine {

// One layer of an RNN over whole sequences, in one or both directions.
struct RnnLayer {
  std::shared_ptr<const Cell> forward;
  std::shared_ptr<const Cell> backward;  // null: forward only

  std::int64_t directions() const { return backward ? 2 : 1; }
  std::int64_t output_size() const { return directions() * forward->hidden_size(); }
};

// The states after the last step of every sequence, directions side by side.
struct FinalStates {
  Buffer hidden;  // (sequences, directions * hidden)
  Buffer cell;    // (sequences, directions * cell), LSTM only
};

// x (rows, input_size) -> states (rows, directions * hidden), starting from zeros.
void run_layer(const RnnLayer& layer, const Ragged& ragged, ConstMatrix x, Matrix states,
               FinalStates& final);

}  // namespace attnengine
