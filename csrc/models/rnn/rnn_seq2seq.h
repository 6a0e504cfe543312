#pragma once

#include <memory>

#include "models/rnn/bridge.h"
#include "models/rnn/rnn_decoder.h"
#include "models/rnn/rnn_encoder.h"
#include "models/seq2seq.h"

namespace attnengine {

// An RNN encoder, a bridge and an RNN decoder.
class RnnSeq2Seq : public Seq2Seq {
 public:
  RnnSeq2Seq(std::shared_ptr<const RnnEncoder> encoder, Bridge bridge,
             std::shared_ptr<const RnnDecoder> decoder);

  std::int64_t encoder_size() const override { return encoder_->output_size(); }
  std::int64_t source_vocab_size() const override { return encoder_->vocab_size(); }

 private:
  Sources encode_sentences(const std::int32_t* tokens, std::int64_t rows,
                           const Ragged& ragged) const override;

  std::shared_ptr<const RnnEncoder> encoder_;
  Bridge bridge_;
  std::shared_ptr<const RnnDecoder> rnn_decoder_;
};

}  // namespace attnengine
