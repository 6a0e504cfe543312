#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "decoding/new_sentence.h"
#include "decoding/rules/rule.h"
#include "decoding/score.h"

namespace attnengine {

class SentenceSearch;

// The options that every kind of search has.
struct SearchOptions {
  std::int64_t num_hypotheses = 1;  // maximum number of results per sentence
  Score score;
  RuleList rules;  // prototypes, in the order of their edits

  virtual ~SearchOptions() = default;

  // Throws InvalidArgument, which names the option, for a value out of range.
  virtual void validate() const;

  // Begins the search of one sentence; the search keeps a reference to these options.
  virtual std::unique_ptr<SentenceSearch> begin(const NewSentence& sentence) const = 0;

  // The maximum number of tokens that can end a hypothesis.
  std::int64_t num_ends() const;
};

// Throws InvalidArgument unless low <= value <= INT32_MAX: "beam_size is 0, expected at least 1".
void expect_count(const char* name, std::int64_t value, std::int64_t low);

inline bool is_token(std::int64_t token, std::int64_t vocab_size) {
  return token >= 0 && token < vocab_size;
}

// Throws InvalidArgument unless 0 <= token < vocab_size.
void expect_token(const std::string& name, std::int64_t token, std::int64_t vocab_size);

// Throws InvalidArgument: "temperature is -1, expected ...".
[[noreturn]] void throw_unexpected(const char* name, double value, const char* expected);

}  // namespace attnengine
