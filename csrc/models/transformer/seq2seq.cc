#include "models/transformer/seq2seq.h"

namespace attnengine {

TransformerSeq2Seq::TransformerSeq2Seq(std::shared_ptr<const TransformerEncoder> encoder,
                                       std::shared_ptr<const TransformerDecoder> decoder)
    : Seq2Seq(decoder), encoder_(std::move(encoder)), transformer_decoder_(std::move(decoder)) {
  transformer_decoder_->check_reads(encoder_->output_size());
}

Seq2Seq::Sources TransformerSeq2Seq::encode_sentences(const std::int32_t* tokens, std::int64_t rows,
                                                      const Ragged& ragged) const {
  Buffer buffer;
  const Matrix states = buffer.matrix(rows, encoder_size());
  encoder_->run(tokens, ragged, states);
  return transformer_decoder_->sources(constant(states), ragged);
}

}  // namespace attnengine
