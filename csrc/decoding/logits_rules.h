#pragma once

#include <cstdint>
#include <vector>

#include "core/matrix.h"

namespace attnengine {

// Rules edit logits before the log-softmax, so that the other tokens share the probability of a
// forbidden one. The array belongs to the caller, who may show it again: a rule is in force for its
// lifetime and then gives the logits back as they were.

// Forbids the same tokens in some rows. NaN and +infinity stay, for the check that refuses them.
class ForbiddenTokens {
 public:
  // All must outlive the rule; `saved` is scratch.
  ForbiddenTokens(Matrix logits, const std::vector<std::int64_t>& rows,
                  const std::vector<std::int32_t>& tokens, std::vector<float>& saved);
  ~ForbiddenTokens();
  ForbiddenTokens(const ForbiddenTokens&) = delete;
  ForbiddenTokens& operator=(const ForbiddenTokens&) = delete;

 private:
  Matrix logits_;  // (rows, vocab_size)
  const std::vector<std::int64_t>& rows_;
  const std::vector<std::int32_t>& tokens_;
  std::vector<float>& saved_;  // (rows_, tokens)
};

}  // namespace attnengine
