#pragma once

#include <cstdint>

namespace attnengine {

// The score of an ended hypothesis: log_prob / length ** length_penalty. The length counts the new
// tokens, end token included.
struct Score {
  double length_penalty = 1;

  // Throws InvalidArgument unless length_penalty is finite.
  void validate() const;

  // The score of an ended hypothesis; a log_prob of 0 gives 0 even if the power overflows.
  double of(double log_prob, std::int64_t length) const;

  // An upper bound on the score of every continuation that ends with `shortest` to `longest`
  // tokens. A log-probability never rises, so only the length can improve the score.
  double bound(double log_prob, std::int64_t shortest, std::int64_t longest) const;
};

}  // namespace attnengine
