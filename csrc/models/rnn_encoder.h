#pragma once

#include <memory>
#include <vector>

#include "layers/embedding.h"
#include "layers/rnn_layer.h"
#include "models/encoder.h"

namespace attnengine {

// A stack of RNN layers over embedded tokens.
class RnnEncoder : public Encoder {
 public:
  RnnEncoder(std::shared_ptr<const Embedding> embedding, std::vector<RnnLayer> layers,
             std::vector<float> pooling_query);

  std::int64_t vocab_size() const override { return embedding_->vocab_size(); }
  std::int64_t output_size() const override { return layers_.back().output_size(); }
  const std::vector<RnnLayer>& layers() const { return layers_; }

  // tokens (ragged rows,) -> states (rows, output_size) of the top layer; `finals` gets the final
  // states of every layer.
  void run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
           std::vector<FinalStates>& finals) const;

 private:
  void run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
           Matrix last) const override;

  std::shared_ptr<const Embedding> embedding_;
  std::vector<RnnLayer> layers_;
};

}  // namespace attnengine
