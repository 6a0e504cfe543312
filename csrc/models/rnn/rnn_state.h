#pragma once

#include <vector>

#include "core/buffer.h"
#include "kernels/steps/attention.h"
#include "layers/rnn_cell.h"
#include "models/state.h"

namespace attnengine {

// The state of a sequence, and the scratch memory of a step.
struct RnnState : State {
  RnnState(std::int64_t decoder, bool with_source, std::int64_t slot_size, std::int64_t num_layers)
      : State(decoder, with_source,
              {/*keeps_past=*/false, slot_size * std::int64_t(sizeof(float))}),
        zeros(slot_size, 0.0f),
        before_buffers(num_layers),
        cell_buffers(num_layers),
        hidden_buffers(num_layers),
        layers(num_layers) {}

  using State::append;
  using State::Sequence;

  struct Layer {
    Matrix before, cell, hidden;
  };

  Sequence& sequence(std::int64_t id) { return sequences_[id]; }

  // The floats of a slot: (slot_size,)
  float* slot(SlotHandle handle) { return reinterpret_cast<float*>(pool_.slot(handle)); }

  std::vector<float> zeros;            // (slot_size,) of a sequence without a past or a source
  std::vector<Buffer> before_buffers;  // (layers,) of (sequences, hidden)
  std::vector<Buffer> cell_buffers;    // (layers,) of (sequences, cell), LSTM only
  std::vector<Buffer> hidden_buffers;  // (layers,) of (rows, hidden)
  std::vector<Layer> layers;           // the same of the rows at hand
  Buffer feed;                         // (sequences, readout) of the step before
  Buffer input;                        // (rows, cell input)
  Buffer between;                      // (rows, hidden) that a transition goes on from
  CellScratch cell;
  Buffer query, weights;                  // (rows, key_dim), (rows, longest source)
  Buffer context;                         // (rows, encoder_size)
  Buffer parts;                           // (rows, readout inputs)
  Buffer readout, largest;                // (rows, readout units), (rows, readout) of maxout
  Buffer outputs;                         // (wanted rows, output input)
  std::vector<Source> sources;            // (rows,)
  std::vector<std::int64_t> output_rows;  // (rows of the step,) the row of logits, or -1
};

}  // namespace attnengine
