#pragma once

#include <memory>
#include <vector>

#include "layers/linear.h"
#include "layers/ragged.h"
#include "layers/rnn_layer.h"

namespace attnengine {

// How a decoder's first state comes from what the encoder read.
struct Bridge {
  enum class Input { kZero, kFinal, kLast, kMean };
  enum class CellStart { kOwn, kHidden, kZero };

  Input input = Input::kZero;
  std::shared_ptr<const Linear> hidden;  // null: copied
  std::shared_ptr<const Linear> cell;    // null: copied
  Activation activation = Activation::kNone;
  CellStart cell_start = CellStart::kZero;

  // hidden_size is that of each of the decoder's `layers`. Throws InvalidArgument when the
  // encoder's layers do not fit.
  void check_sizes(std::int64_t layers, std::int64_t hidden_size,
                   const std::vector<RnnLayer>& encoder) const;

  // -> initial (sentences, 2 * layers * hidden_size): hidden of every layer, then cell of every
  // layer. states (rows, encoder_size) are the encoder's top states.
  void start(const Ragged& ragged, ConstMatrix states, const std::vector<LayerStates>& finals,
             std::int64_t layers, std::int64_t hidden_size, Matrix initial) const;
};

}  // namespace attnengine
