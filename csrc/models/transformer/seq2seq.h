#pragma once

#include <memory>

#include "models/seq2seq.h"
#include "models/transformer/decoder.h"
#include "models/transformer/encoder.h"

namespace attnengine {

class TransformerSeq2Seq : public Seq2Seq {
 public:
  TransformerSeq2Seq(std::shared_ptr<const TransformerEncoder> encoder,
                     std::shared_ptr<const TransformerDecoder> decoder);

  const std::shared_ptr<const TransformerEncoder>& encoder() const { return encoder_; }
  std::int64_t encoder_size() const override { return encoder_->output_size(); }
  std::int64_t source_vocab_size() const override { return encoder_->vocab_size(); }
  std::int64_t max_source_positions() const override { return encoder_->max_positions(); }

 private:
  Sources encode_sentences(const std::int32_t* tokens, std::int64_t rows,
                           const Ragged& ragged) const override;

  std::shared_ptr<const TransformerEncoder> encoder_;
  std::shared_ptr<const TransformerDecoder> transformer_decoder_;
};

}  // namespace attnengine
