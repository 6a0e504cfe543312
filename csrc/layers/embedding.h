#pragma once

#include <memory>

#include "core/matrix.h"

namespace attnengine {

class Embedding {
 public:
  // weight (vocab_size, size), which `memory` keeps alive
  Embedding(ConstMatrix weight, std::shared_ptr<const void> memory)
      : weight_(weight), memory_(std::move(memory)) {}

  std::int64_t size() const { return weight_.cols; }
  std::int64_t vocab_size() const { return weight_.rows; }

  const float* operator[](std::int64_t token) const { return weight_[token]; }

 private:
  ConstMatrix weight_;
  std::shared_ptr<const void> memory_;
};

// Throws InvalidArgument for a token outside of the vocabulary; `name` is the argument's.
void check_tokens(const std::int32_t* tokens, std::int64_t rows, std::int64_t vocab_size,
                  const char* name);

}  // namespace attnengine
