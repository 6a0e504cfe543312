#pragma once

#include <vector>

#include "models/encoder.h"
#include "models/transformer/stack.h"

namespace attnengine {

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

}  // namespace attnengine
