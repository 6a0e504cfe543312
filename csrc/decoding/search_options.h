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

// What every kind of search may do.
struct SearchOptions {
  std::int64_t num_hypotheses = 1;  // results of a sentence, at most
  Score score;
  RuleList rules;  // prototypes, in the order in which they edit

  virtual ~SearchOptions() = default;

  // Throws InvalidArgument, naming the option, for a value that makes no sense.
  virtual void validate() const;

  // Begins the search of one sentence, which keeps a reference to these options.
  virtual std::unique_ptr<SentenceSearch> begin(const NewSentence& sentence) const = 0;

  // How many tokens of a row may complete it, at most.
  std::int64_t num_ends() const;
};

// Throws InvalidArgument unless low <= value <= INT32_MAX: "beam_size is 0, expected at least 1".
void expect_count(const char* name, std::int64_t value, std::int64_t low);

// Throws InvalidArgument unless a vocabulary has the token.
void expect_token(const std::string& name, std::int64_t token, std::int64_t vocab_size);

// Throws InvalidArgument: "temperature is -1, expected ...".
[[noreturn]] void unexpected(const char* name, double value, const char* expected);

}  // namespace attnengine
