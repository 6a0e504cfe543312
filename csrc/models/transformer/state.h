#pragma once

#include <vector>

#include "layers/transformer_layers.h"
#include "models/decoder.h"

namespace attnengine {

// The cache: a slot is a page with the key heads of every layer. With recurrences it is what a
// token leaves in every layer, (layers, hidden).
struct TransformerState : State {
  TransformerState(std::int64_t decoder, bool with_source, Slots slots, PageHeads heads)
      : State(decoder, with_source, slots), heads(heads) {}

  using State::append;
  using State::Sequence;

  Sequence& sequence(std::int64_t id) { return sequences_[id]; }

  // The first positions of a page.
  void copy_tokens(const std::byte* from, std::int64_t tokens, std::byte* to) const override;
  // Appends the rows of a sequence, which is the i-th of the step.
  void append_range(const RowRange& range, std::size_t i);
  void resize(std::int64_t rows, std::size_t ranges);
  // Reserves memory for the weights of every head, where they are kept.
  void record(std::int64_t rows, std::int64_t longest_source);
  // Lets every row see its past and itself, or the last `window` of these. Most layers see what the
  // one before them saw.
  void set_visible(const std::vector<RowRange>& ranges, std::int64_t window);

  PageHeads heads;  // of every layer
  TransformerScratch scratch;
  std::int64_t visible_window = -1;  // the window of `set_visible` in this step, -1: none yet
  std::vector<std::vector<std::byte*>> pasts;  // (sequences of the step, slots)
  std::vector<PageCell> cells;                 // (rows,) where the row's keys go
  std::vector<const float*> before;            // (rows,) what a layer carries, from where
  std::vector<float*> after;                   // (rows,) and to where
  std::vector<float> zeros;                    // (hidden,) before the first token
  std::vector<VisibleRange> visible;           // (rows,) its past and itself
  std::vector<VisibleRange> visible_sources;   // (rows,)
  std::vector<std::int64_t> positions;         // (rows,) of the row's token
  Buffer head_weights;                         // (rows * heads, longest source)
  Buffer outputs;                              // (wanted rows, hidden)
};

}  // namespace attnengine
