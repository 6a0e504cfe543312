#include "decoding/score.h"

#include <cmath>

#include "decoding/search_options.h"

namespace attnengine {

void Score::validate() const {
  if (!std::isfinite(length_penalty))
    throw_unexpected("length_penalty", length_penalty, "a finite number");
}

double Score::of(double log_prob, std::int64_t length) const {
  return log_prob == 0 ? 0 : log_prob / std::pow(static_cast<double>(length), length_penalty);
}

// With a positive penalty the longest length gives the best score, otherwise the shortest.
double Score::bound(double log_prob, std::int64_t shortest, std::int64_t longest) const {
  return of(log_prob, length_penalty > 0 ? longest : shortest);
}

}  // namespace attnengine
