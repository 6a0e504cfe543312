#pragma once

#include <memory>
#include <vector>

#include "layers/embedding.h"
#include "layers/rnn_layer.h"
#include "models/encoder.h"

namespace attnengine {

class RnnEncoder;

// What an encoder carries from one call to the next, as RNNs that were trained on adjacent pieces
// of text do. It belongs to one thread at a time.
struct RnnEncoderState {
  RnnEncoderState(std::shared_ptr<const RnnEncoder> encoder, std::int64_t sentences);
  RnnEncoderState(const RnnEncoderState&) = delete;
  RnnEncoderState& operator=(const RnnEncoderState&) = delete;

  std::shared_ptr<const RnnEncoder> encoder;  // whose it is
  std::int64_t sentences;
  std::vector<LayerStates> layers;
};

// A stack of RNN layers over embedded tokens.
class RnnEncoder : public Encoder {
 public:
  // all_states: a state is the embedding and the state of every layer, concatenated; otherwise that
  // of the top layer. Throws InvalidArgument when sizes do not fit.
  RnnEncoder(std::shared_ptr<const Embedding> embedding, std::vector<RnnLayer> layers,
             std::vector<float> pooling_query, bool all_states);

  std::int64_t vocab_size() const override { return embedding_->vocab_size(); }
  std::int64_t output_size() const override;
  const std::vector<RnnLayer>& layers() const { return layers_; }

  // The states to start `sentences` sentences from.
  std::vector<LayerStates> start(std::int64_t sentences) const;

  // tokens (ragged rows,) -> states (rows, output_size); every layer goes on from `carried`, which
  // becomes its states after the last step.
  void run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
           std::vector<LayerStates>& carried) const;

  // The same with checks and threads, for callers outside: lengths (sentences of `state`,).
  void hidden_states(const std::int32_t* tokens, std::int64_t rows, const std::int64_t* lengths,
                     RnnEncoderState& state, Matrix states) const;
  using Encoder::hidden_states;

 private:
  void run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
           Matrix last) const override;
  void last_states(const Ragged& ragged, ConstMatrix states, Matrix last) const;
  void check_layer(std::size_t index, std::int64_t input_size) const;

  std::shared_ptr<const Embedding> embedding_;
  std::vector<RnnLayer> layers_;
  bool all_states_;
};

}  // namespace attnengine
