#include "decoding/search_options.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>

#include "core/errors.h"

namespace attnengine {

void expect_count(const char* name, std::int64_t value, std::int64_t low) {
  constexpr std::int64_t kHigh = std::numeric_limits<std::int32_t>::max();
  if (value >= low && value <= kHigh) return;
  throw InvalidArgument(
      std::string(name) + " is " + std::to_string(value) + ", expected at " +
      (value < low ? "least " + std::to_string(low) : "most " + std::to_string(kHigh)));
}

void unexpected(const char* name, double value, const char* expected) {
  std::ostringstream message;
  message << name << " is " << value << ", expected " << expected;
  throw InvalidArgument(message.str());
}

bool SearchOptions::ends(std::int32_t token) const {
  return std::binary_search(end_tokens.begin(), end_tokens.end(), token);
}

void SearchOptions::validate() const {
  expect_count("num_hypotheses", num_hypotheses, 1);
  expect_count("min_new_tokens", min_new_tokens, 0);
  if (!std::isfinite(length_penalty))
    unexpected("length_penalty", length_penalty, "a finite number");
}

void SearchOptions::set_end_tokens(const std::vector<std::int64_t>& tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i)
    expect_count(("end_tokens[" + std::to_string(i) + "]").c_str(), tokens[i], 0);
  end_tokens.assign(tokens.begin(), tokens.end());
  std::sort(end_tokens.begin(), end_tokens.end());
  end_tokens.erase(std::unique(end_tokens.begin(), end_tokens.end()), end_tokens.end());
}

}  // namespace attnengine
