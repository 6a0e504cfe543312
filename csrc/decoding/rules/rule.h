#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "decoding/new_sentence.h"

namespace attnengine {

// A logit that a rule has changed, as it was.
struct EditedLogit {
  std::int32_t token;
  float before;
};

// The logits of one hypothesis, which rules edit before the log-softmax: the other tokens share the
// probability of a forbidden one. The array belongs to the caller, who may show it again, so that
// every change is undone after the step.
class LogitsRow {
 public:
  // `edits` is the memory for changes; it must outlive the row.
  LogitsRow(float* logits, std::vector<EditedLogit>& edits) : logits_(logits), edits_(edits) {}

  float operator[](std::int32_t token) const { return logits_[token]; }
  void set(std::int32_t token, float value);
  // NaN and +infinity stay: the check that refuses them comes later.
  void forbid(std::int32_t token);

 private:
  float* logits_;  // (vocab_size,)
  std::vector<EditedLogit>& edits_;
};

// What constrains the continuations of one hypothesis. Each hypothesis has its own rules, with
// their state; what never changes is shared behind them.
class Rule : public std::enable_shared_from_this<Rule> {
 public:
  virtual ~Rule() = default;

  // A rule in the same state, for another continuation of the same hypothesis. One that `start` and
  // `take` never change is shared.
  virtual std::shared_ptr<Rule> fork() { return shared_from_this(); }
  // Called once, before the first token.
  virtual void start(const NewSentence&) {}
  // The hypothesis goes on with this token.
  virtual void take(std::int32_t) {}
  // Whether `edit` would change anything now.
  virtual bool edits() const { return false; }
  virtual void edit(LogitsRow&) const {}
  // Operations of `edit`, for parallel_for.
  virtual std::int64_t work(std::int64_t /*vocab_size*/) const { return 0; }
  // Whether this token would complete the hypothesis. It is then no part of the text.
  virtual bool ends(std::int32_t) const { return false; }
  // How many tokens of a row may complete it, at most.
  virtual std::int64_t num_ends() const { return 0; }
  // Throws InvalidArgument for a token that the vocabulary does not have.
  virtual void check(std::int64_t /*vocab_size*/) const {}
};

using RuleList = std::vector<std::shared_ptr<Rule>>;

// The rules of one hypothesis, in the order in which they edit.
class Rules {
 public:
  Rules() = default;
  // Forks of the prototypes, for the first token of a sentence.
  Rules(const RuleList& prototypes, const NewSentence& sentence);

  Rules fork() const;
  void take(std::int32_t token);
  bool edits() const;
  void edit(LogitsRow& row) const;
  std::int64_t work(std::int64_t vocab_size) const;
  bool ends(std::int32_t token) const;

 private:
  std::shared_ptr<const RuleList> rules_;  // shared by forks unless a rule has a state
  bool has_state_ = false;
};

}  // namespace attnengine
