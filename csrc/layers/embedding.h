#pragma once

#include <memory>

#include "layers/linear.h"

namespace attnengine {

class Embedding {
 public:
  // weight (vocab_size, size), which `memory` keeps alive
  Embedding(ConstMatrix weight, std::shared_ptr<const void> memory)
      : weight_(weight), memory_(std::move(memory)) {}
  // The weight of `table` (vocab_size, size), such as the layer that gives logits, times `scale`
  Embedding(std::shared_ptr<const Linear> table, float scale)
      : weight_{nullptr, table->out(), table->in()}, table_(std::move(table)), scale_(scale) {}

  std::int64_t size() const { return weight_.cols; }
  std::int64_t vocab_size() const { return weight_.rows; }

  // row (size,)
  void read(std::int64_t token, float* row) const;

 private:
  ConstMatrix weight_;  // without data where there is a table
  std::shared_ptr<const void> memory_;
  std::shared_ptr<const Linear> table_;  // or null
  float scale_ = 1;                      // of the table
};

// Throws InvalidArgument for a token outside of the vocabulary; `name` is the argument's.
void check_tokens(const std::int32_t* tokens, std::int64_t rows, std::int64_t vocab_size,
                  const char* name);

}  // namespace attnengine
