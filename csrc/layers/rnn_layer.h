#pragma once

#include <memory>

#include "core/buffer.h"
#include "layers/ragged.h"
#include "layers/rnn_cell.h"

namespace attnengine {

// One layer of an RNN over whole sequences, in one or both directions.
struct RnnLayer {
  std::shared_ptr<const Cell> forward;
  std::shared_ptr<const Cell> backward;  // null: forward only
  bool separate = false;  // each direction reads its own half of what the layer reads
  bool skip = false;      // what the layer reads is added to what it gives out

  std::int64_t directions() const { return backward ? 2 : 1; }
  std::int64_t input_size() const { return (separate ? directions() : 1) * forward->input_size(); }
  std::int64_t output_size() const { return directions() * forward->hidden_size(); }
};

// What a layer carries for every sequence, directions side by side.
struct LayerStates {
  Buffer hidden;  // (sequences, directions * hidden)
  Buffer cell;    // (sequences, directions * cell), LSTM only
};

// Zeros, to start `sequences` sequences from.
LayerStates zero_states(const RnnLayer& layer, std::int64_t sequences);

// x (rows, input_size) -> states (rows, directions * hidden), both in the order of the timesteps,
// starting from `carried`, which becomes the states after the last step of every sequence.
void run_layer(const RnnLayer& layer, const Ragged& ragged, ConstMatrix x, Matrix states,
               LayerStates& carried);

}  // namespace attnengine
