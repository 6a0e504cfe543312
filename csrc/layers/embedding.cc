#include "layers/embedding.h"

#include <algorithm>
#include <string>

#include "core/errors.h"

namespace attnengine {

void Embedding::read(std::int64_t token, float* row) const {
  if (!table_) {
    std::copy_n(weight_[token], size(), row);
    return;
  }
  table_->unpack(token, row);
  for (std::int64_t d = 0; d < size(); ++d) row[d] *= scale_;
}

void check_tokens(const std::int32_t* tokens, std::int64_t rows, std::int64_t vocab_size,
                  const char* name) {
  for (std::int64_t row = 0; row < rows; ++row)
    if (tokens[row] < 0 || tokens[row] >= vocab_size)
      throw InvalidArgument(std::string(name) + "[" + std::to_string(row) + "] is " +
                            std::to_string(tokens[row]) + ", expected 0 to " +
                            std::to_string(vocab_size - 1));
}

}  // namespace attnengine
