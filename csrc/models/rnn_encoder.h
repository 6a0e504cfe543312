#pragma once

#include <memory>
#include <vector>

#include "layers/embedding.h"
#include "layers/pooling.h"
#include "layers/rnn_layer.h"
#include "models/decoder.h"

namespace attnengine {

// A stack of RNN layers over embedded tokens.
class RnnEncoder : public HasThreads {
 public:
  RnnEncoder(std::shared_ptr<const Embedding> embedding, std::vector<RnnLayer> layers,
             std::vector<float> pooling_query);

  std::int64_t vocab_size() const { return embedding_->vocab_size(); }
  std::int64_t output_size() const { return layers_.back().output_size(); }
  const std::vector<RnnLayer>& layers() const { return layers_; }

  // tokens (ragged rows,) -> states (rows, output_size) of the top layer; `finals` gets the final
  // states of every layer.
  void run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
           std::vector<FinalStates>& finals) const;

  // The same with checks and threads, for callers outside: lengths (sentences,).
  void hidden_states(const std::int32_t* tokens, std::int64_t rows, const std::int64_t* lengths,
                     std::int64_t sentences, Matrix states) const;
  void encode(const std::int32_t* tokens, std::int64_t rows, const std::int64_t* lengths,
              std::int64_t sentences, Pooling pooling, Matrix pooled) const;

 private:
  std::shared_ptr<const Embedding> embedding_;
  std::vector<RnnLayer> layers_;
  std::vector<float> pooling_query_;  // (output_size,) or empty
};

}  // namespace attnengine
