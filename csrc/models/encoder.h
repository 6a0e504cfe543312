#pragma once

#include <vector>

#include "layers/pooling.h"
#include "models/decoder.h"

namespace attnengine {

// A model that turns sentences into states, and these into one vector each.
class Encoder : public HasThreads {
 public:
  // pooling_query (output_size,) for Pooling::kAttention, or empty
  explicit Encoder(std::vector<float> pooling_query) : pooling_query_(std::move(pooling_query)) {}

  virtual std::int64_t vocab_size() const = 0;
  virtual std::int64_t output_size() const = 0;
  virtual std::int64_t max_positions() const { return 0; }  // 0: any length

  // tokens (rows,), lengths (sentences,) -> states (rows, output_size). Throws InvalidArgument for
  // a token that does not exist, lengths that do not add up and a sentence that is too long.
  void hidden_states(const std::int32_t* tokens, std::int64_t rows, const std::int64_t* lengths,
                     std::int64_t sentences, Matrix states) const;
  // The same -> pooled (sentences, output_size).
  void encode(const std::int32_t* tokens, std::int64_t rows, const std::int64_t* lengths,
              std::int64_t sentences, Pooling pooling, Matrix pooled) const;

  // The same without checks, with the caller's threads: tokens (ragged rows,).
  void encode(const std::int32_t* tokens, const Ragged& ragged, Pooling pooling,
              Matrix pooled) const;
  // Throws InvalidArgument when the model lacks what this pooling needs.
  void check_pooling(Pooling pooling) const;

 protected:
  void check_pooling_query() const;

  // tokens (ragged rows,) -> states (rows, output_size), and for Pooling::kLast `last`
  // (sentences, output_size).
  virtual void run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
                   Matrix last) const = 0;

 private:
  std::vector<float> pooling_query_;
};

}  // namespace attnengine
