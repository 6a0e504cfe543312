#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "models/decoder.h"
#include "models/transformer/stack.h"

namespace attnengine {

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

  void run(const Rows& rows, const std::vector<RowRange>& ranges, State& state) const override;
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

}  // namespace attnengine
