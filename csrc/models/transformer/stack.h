#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "layers/embedding.h"
#include "layers/transformer_layers.h"
#include "models/decoder.h"
#include "models/encoder.h"

namespace attnengine {

// What encoder and decoder share: embedding, positions, a stack of layers, a last norm.
struct TransformerStack {
  std::shared_ptr<const Embedding> embedding;  // null where rows come embedded
  std::vector<float> positions;  // (max_positions, embedding size) added to the embedding, or empty
  std::int64_t max_positions;    // 0: any length
  float embedding_scale;
  std::shared_ptr<const Norm> embedding_norm;  // or null
  std::shared_ptr<const Linear> projection;    // (hidden, embedding size), or null
  std::vector<TransformerLayer> layers;
  std::shared_ptr<const Norm> final_norm;  // or null

  std::int64_t embedding_size() const;
  std::int64_t hidden_size() const { return projection ? projection->out() : embedding_size(); }
  // Whether the layers have a recurrence in the place of self-attention.
  bool recurrent() const { return layers.front().recurrence != nullptr; }
  // The key heads of one layer's self-attention, and of its cross-attention.
  PageHeads page_heads(CachePrecision precision) const {
    return layers.front().self_attention.page_heads(precision);
  }
  PageHeads source_heads(CachePrecision precision) const {
    return layers.front().cross_attention.page_heads(precision);
  }
  bool has_cross_attention() const { return layers.front().has_cross_attention(); }
  // Throws InvalidArgument when the sizes do not fit.
  void check_sizes() const;

  // tokens and positions (rows,) -> projection(norm(embedding * scale + position)) (rows, hidden),
  // which lies in the scratch
  Matrix embed(const std::int32_t* tokens, const std::int64_t* positions, std::int64_t rows,
               TransformerScratch& scratch) const;
  // Room in the scratch for rows (rows, embedding size) that `place` makes ready for the layers:
  // projection(norm(x + position)) (rows, hidden).
  Matrix room(std::int64_t rows, TransformerScratch& scratch) const;
  Matrix place(Matrix x, const std::int64_t* positions, TransformerScratch& scratch) const;
};

// Whole sentences through layers and last norm: a row sees its sentence, all of it or what is near.
//   embed   positions (rows,) -> x (rows, hidden), which lies in the scratch
//   states  (rows, hidden) of the last norm
using Embed = std::function<Matrix(const std::int64_t* positions, TransformerScratch& scratch)>;
void run_sentences(const TransformerStack& stack, const Ragged& ragged, const Embed& embed,
                   Matrix states, TransformerScratch& scratch);

class TransformerEncoder : public Encoder {
 public:
  TransformerEncoder(TransformerStack stack, std::vector<float> pooling_query);

  std::int64_t vocab_size() const override { return stack_.embedding->vocab_size(); }
  std::int64_t output_size() const override { return stack_.hidden_size(); }
  std::int64_t max_positions() const override { return stack_.max_positions; }

  // tokens (ragged rows,) -> states (rows, hidden); of one sentence, the weights too where there is
  // a record
  void run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
           AttentionRecord* record = nullptr) const;
  // The weights of every layer for one sentence, tokens (rows,).
  AttentionRecord attentions(const std::int32_t* tokens, std::int64_t rows) const;

 private:
  void run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
           Matrix last) const override;

  TransformerStack stack_;
};

// With cross-attention the decoder of an encoder-decoder, without it a language model.
class TransformerDecoder : public Decoder {
 public:
  // logit_cap: logits become cap * tanh(logit / cap); 0: they stay
  // cache: of past keys and values, and of those of a source
  TransformerDecoder(TransformerStack stack, std::shared_ptr<const Linear> output, float logit_cap,
                     CachePrecision cache);

  std::unique_ptr<State> new_state() const override;
  std::int64_t vocab_size() const override { return output_->out(); }
  std::int64_t max_positions() const override { return stack_.max_positions; }
  std::optional<CachePrecision> cache_precision() const override;

  // Throws InvalidArgument unless it reads encoders of this size.
  void check_reads(std::int64_t encoder_size) const;
  // An encoder's states (ragged rows, size) with the keys and values of every cross-attention.
  std::vector<std::shared_ptr<const EncodedSource>> sources(ConstMatrix states,
                                                            const Ragged& ragged) const;

 private:
  struct Step;

  void run(const Rows& rows, const std::vector<Run>& runs, State& state) const override;
  void append_rows(Step& step) const;
  // Blocks of a layer: x (rows, hidden) -> out (rows, hidden), or added to it.
  void self_attention(std::size_t layer, ConstMatrix x, Matrix out, bool add, Step& step) const;
  void recur(std::size_t layer, ConstMatrix x, Matrix out, bool add, Step& step) const;
  void cross_attention(std::size_t layer, ConstMatrix x, Matrix out, bool add, Step& step) const;
  void project(Step& step) const;

  TransformerStack stack_;
  std::shared_ptr<const Linear> output_;
  float logit_cap_;
  CachePrecision cache_;
};

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
