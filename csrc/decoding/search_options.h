#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace attnengine {

class SentenceSearch;

// What every kind of search may do.
struct SearchOptions {
  std::int64_t num_hypotheses = 1;       // results of a sentence, at most
  std::vector<std::int32_t> end_tokens;  // ascending, each once
  std::int64_t min_new_tokens = 0;       // end tokens are forbidden before
  double length_penalty = 1;             // score = log_prob / length ** length_penalty

  virtual ~SearchOptions() = default;

  // Begins the search of one sentence, which keeps a reference to these options.
  virtual std::unique_ptr<SentenceSearch> begin(std::int32_t start_token,
                                                std::int64_t max_new_tokens) const = 0;

  bool ends(std::int32_t token) const;

 protected:
  // Throws InvalidArgument for an option of those above that makes no sense.
  void validate() const;
  void set_end_tokens(const std::vector<std::int64_t>& tokens);
};

// Throws InvalidArgument unless low <= value <= INT32_MAX: "beam_size is 0, expected at least 1".
void expect_count(const char* name, std::int64_t value, std::int64_t low);

// Throws InvalidArgument: "temperature is -1, expected ...".
[[noreturn]] void unexpected(const char* name, double value, const char* expected);

}  // namespace attnengine
