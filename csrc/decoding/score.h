#pragma once

#include <cstdint>

namespace attnengine {

// How finished hypotheses compare: log_prob / length ** length_penalty, where length counts new
// tokens and the end token.
struct Score {
  double length_penalty = 1;

  // Throws InvalidArgument unless every number is finite.
  void validate() const;

  // The score of a finished hypothesis; 0 stays 0 even where the power overflows.
  double of(double log_prob, std::int64_t length) const;

  // At least the score of every continuation that ends between `shortest` and `longest` tokens: a
  // log-probability only falls, so that only the length can help.
  double bound(double log_prob, std::int64_t shortest, std::int64_t longest) const;
};

}  // namespace attnengine
