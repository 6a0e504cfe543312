#pragma once

#include <memory>
#include <string>
#include <vector>

#include "layers/attention_score.h"
#include "layers/embedding.h"
#include "layers/readout.h"
#include "layers/rnn_cell.h"
#include "models/decoder.h"

namespace attnengine {

// The switches of an RNN decoder. Without attention it is a language model, or the decoder of a
// sequence-to-sequence model that sees the source through its first state alone.
struct RnnDecoderOptions {
  enum class Part { kHidden, kContext, kEmbedding };

  bool query_previous = false;       // attention is queried by the state before the step:
                                     // cell input [embedding; context]
  bool input_feeding = false;        // cell input [embedding; readout of the step before]
  std::vector<Part> readout_inputs;  // concatenated in this order
};

// The layers of an RNN decoder. attention, transition and readout may be null.
struct RnnDecoderLayers {
  std::shared_ptr<const Embedding> embedding;
  std::vector<std::shared_ptr<const Cell>> cells;  // bottom first
  std::shared_ptr<const AttentionScore> attention;
  std::shared_ptr<const Cell> transition;  // of the bottom layer, behind its cell: reads the
                                           // context that its state between the two attends to
  std::shared_ptr<const Readout> readout;
  std::shared_ptr<const Linear> output;
};

// embedding -> stack of cells -> (attention) -> (readout) -> output
class RnnDecoder : public Decoder {
 public:
  // encoder_size: of the states that attention reads; 0 without a source. Throws InvalidArgument
  // when parts or sizes do not fit.
  RnnDecoder(RnnDecoderLayers layers, RnnDecoderOptions options, std::int64_t encoder_size,
             bool with_source);

  std::unique_ptr<State> new_state() const override;
  std::int64_t vocab_size() const override { return layers_.output->out(); }

  std::int64_t num_layers() const { return static_cast<std::int64_t>(layers_.cells.size()); }
  std::int64_t hidden_size() const { return layers_.cells.front()->hidden_size(); }
  std::int64_t encoder_size() const { return encoder_size_; }
  const AttentionScore* attention() const { return layers_.attention.get(); }

  // A slot: hidden of every layer, cell of every layer (LSTM), readout (input feeding).
  std::int64_t carried_size() const;  // hidden and cell
  std::int64_t slot_size() const { return carried_size() + feed_size(); }

 private:
  struct Pass;

  void run(const Rows& rows, const std::vector<RowRange>& ranges, State& state) const override;
  void run_pass(Pass& pass) const;
  void read_states(Pass& pass) const;
  void read_input(Pass& pass) const;
  void run_cells(Pass& pass) const;
  void attend(Matrix query, Pass& pass) const;
  Matrix read_out(Pass& pass) const;
  void write_states(Pass& pass, ConstMatrix readout) const;
  void keep_results(Pass& pass, ConstMatrix readout) const;

  std::int64_t cell_size() const { return layers_.cells.front()->cell_size(); }
  // Whether what a step gives out is part of the next one's input: then rows run timestep by
  // timestep.
  bool feeds_back() const {
    return options_.input_feeding || options_.query_previous || layers_.transition;
  }
  std::int64_t feed_size() const { return options_.input_feeding ? layers_.readout->size() : 0; }
  std::int64_t part_size(RnnDecoderOptions::Part part) const;
  void check_parts() const;
  void check_cell(const std::shared_ptr<const Cell>& cell, const std::string& name) const;
  void check_sizes() const;
  void check_readout() const;

  RnnDecoderLayers layers_;
  RnnDecoderOptions options_;
  std::int64_t encoder_size_;
  bool with_source_;
};

}  // namespace attnengine
