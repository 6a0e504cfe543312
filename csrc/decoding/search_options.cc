#include "decoding/search_options.h"

#include <algorithm>
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

void throw_unexpected(const char* name, double value, const char* expected) {
  std::ostringstream message;
  message << name << " is " << value << ", expected " << expected;
  throw InvalidArgument(message.str());
}

void expect_token(const std::string& name, std::int64_t token, std::int64_t vocab_size) {
  if (!is_token(token, vocab_size))
    throw InvalidArgument(name + " is " + std::to_string(token) +
                          ", expected a token of the vocabulary: 0 to " +
                          std::to_string(vocab_size - 1));
}

void SearchOptions::validate() const {
  expect_count("num_hypotheses", num_hypotheses, 1);
  score.validate();
}

std::int64_t SearchOptions::num_ends() const {
  std::int64_t ends = 0;
  for (const auto& rule : rules) ends += rule->num_ends();
  return ends;
}

}  // namespace attnengine
