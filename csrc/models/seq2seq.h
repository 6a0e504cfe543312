#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "models/decoder.h"

namespace attnengine {

// A decoder with something in front that it reads.
class SourceDecoder : public Decoder {
 public:
  explicit SourceDecoder(std::shared_ptr<const Decoder> decoder) : decoder_(std::move(decoder)) {}

  std::int64_t id() const override { return decoder_->id(); }
  std::unique_ptr<State> new_state() const override { return decoder_->new_state(); }
  std::int64_t vocab_size() const override { return decoder_->vocab_size(); }
  std::int64_t max_positions() const override { return decoder_->max_positions(); }
  std::optional<CachePrecision> cache_precision() const override {
    return decoder_->cache_precision();
  }

 protected:
  void run(const Rows& rows, const std::vector<RowRange>& ranges, State& state) const override {
    decoder_->run(rows, ranges, state);
  }

  std::shared_ptr<const Decoder> decoder_;
};

// An encoder of tokens in front of a decoder.
class Seq2Seq : public SourceDecoder {
 public:
  using SourceDecoder::SourceDecoder;

  // tokens (rows,), lengths (sentences,) -> one source for each sentence. Throws InvalidArgument
  // for a token that does not exist and for lengths that do not add up.
  Encoded encode(const std::int32_t* tokens, std::int64_t rows, const std::int64_t* lengths,
                 std::int64_t sentences) const;
  virtual std::int64_t encoder_size() const = 0;
  virtual std::int64_t source_vocab_size() const = 0;
  virtual std::int64_t max_source_positions() const { return 0; }  // 0: any length

 protected:
  using Sources = std::vector<std::shared_ptr<const EncodedSource>>;

  // tokens (rows,) -> a source for each sequence of `ragged`
  virtual Sources encode_sentences(const std::int32_t* tokens, std::int64_t rows,
                                   const Ragged& ragged) const = 0;
};

}  // namespace attnengine
