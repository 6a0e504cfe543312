#include "decoding/logits_rules.h"

#include <limits>

namespace attnengine {

ForbiddenTokens::ForbiddenTokens(Matrix logits, const std::vector<std::int32_t>& tokens,
                                 std::vector<float>& saved)
    : logits_(logits), tokens_(tokens), saved_(saved) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  saved_.clear();
  for (std::int64_t row = 0; row < logits.rows; ++row) {
    for (const std::int32_t token : tokens) {
      float& logit = logits[row][token];
      saved_.push_back(logit);
      if (logit < kInfinity) logit = -kInfinity;
    }
  }
}

ForbiddenTokens::~ForbiddenTokens() {
  const float* saved = saved_.data();
  for (std::int64_t row = 0; row < logits_.rows; ++row)
    for (const std::int32_t token : tokens_) logits_[row][token] = *saved++;
}

}  // namespace attnengine
