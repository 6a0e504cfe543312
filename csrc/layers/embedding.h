#pragma once

#include <vector>

#include "core/matrix.h"

namespace attnengine {

class Embedding {
 public:
  // weight (vocab_size, size)
  explicit Embedding(ConstMatrix weight)
      : size_(weight.cols),
        vocab_size_(weight.rows),
        weight_(weight.data, weight.data + weight.rows * weight.cols) {}

  std::int64_t size() const { return size_; }
  std::int64_t vocab_size() const { return vocab_size_; }

  const float* operator[](std::int64_t token) const { return weight_.data() + token * size_; }

 private:
  std::int64_t size_;
  std::int64_t vocab_size_;
  std::vector<float> weight_;  // (vocab_size, size)
};

// Throws InvalidArgument for a token outside of the vocabulary; `name` is the argument's.
void check_tokens(const std::int32_t* tokens, std::int64_t rows, std::int64_t vocab_size,
                  const char* name);

}  // namespace attnengine
