#include "decoding/logits_rules.h"

#include <limits>

namespace attnengine {

ForbiddenTokens::ForbiddenTokens(Matrix logits, const std::vector<std::int64_t>& rows,
                                 const std::vector<std::int32_t>& tokens, std::vector<float>& saved)
    : logits_(logits), rows_(rows), tokens_(tokens), saved_(saved) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  saved_.clear();
  saved_.reserve(rows.size() * tokens.size());  // or throws while every logit is as it was
  for (const std::int64_t row : rows) {
    for (const std::int32_t token : tokens) {
      float& logit = logits[row][token];
      saved_.push_back(logit);
      if (logit < kInfinity) logit = -kInfinity;
    }
  }
}

ForbiddenTokens::~ForbiddenTokens() {
  const float* saved = saved_.data();
  for (const std::int64_t row : rows_)
    for (const std::int32_t token : tokens_) logits_[row][token] = *saved++;
}

}  // namespace attnengine
