#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "decoding/new_sentence.h"

namespace attnengine {

// The original value of a logit that a rule has changed.
struct EditedLogit {
  std::int32_t token;
  float before;
};

// The logits of one hypothesis. Rules edit them before the log-softmax, so the other tokens share
// the probability of a forbidden token. The array belongs to the caller, who may use it again;
// therefore every edit is undone after the step.
class LogitsRow {
 public:
  // `edits` stores the original values; it must outlive the row.
  LogitsRow(float* logits, std::int64_t vocab_size, std::vector<EditedLogit>& edits)
      : logits_(logits), vocab_size_(vocab_size), edits_(edits) {}

  std::int64_t vocab_size() const { return vocab_size_; }
  // Each throws InvalidArgument for a token outside the vocabulary.
  float operator[](std::int32_t token) const { return logits_[checked(token)]; }
  void set(std::int32_t token, float value);
  // Sets a logit to -infinity; keeps NaN and +infinity, which a later check refuses.
  void forbid(std::int32_t token);

 private:
  std::int32_t checked(std::int32_t token) const;

  float* logits_;  // (vocab_size,)
  std::int64_t vocab_size_;
  std::vector<EditedLogit>& edits_;
};

// A constraint on the continuations of one hypothesis. Each hypothesis has its own rules with their
// own state; rules without a state are shared.
class Rule : public std::enable_shared_from_this<Rule> {
 public:
  virtual ~Rule() = default;

  // Returns a rule in the same state, for another continuation of the same hypothesis. By default
  // it returns the rule itself, which is right if `start` and `take` never change it.
  virtual std::shared_ptr<Rule> fork() { return shared_from_this(); }
  // Called once, before the first token.
  virtual void start(const NewSentence&) {}
  // Tells the rule that the hypothesis continues with this token.
  virtual void take(std::int32_t) {}
  // Whether `edit` may change a logit in the current state.
  virtual bool edits() const { return false; }
  // Called only where `edits` is true.
  virtual void edit(LogitsRow&) const {}
  // Number of operations of `edit`, for parallel_for.
  virtual std::int64_t work(std::int64_t /*vocab_size*/) const { return 0; }
  // Whether this token ends the hypothesis; the text does not include it.
  virtual bool ends(std::int32_t) const { return false; }
  // The maximum number of tokens that can end a hypothesis.
  virtual std::int64_t num_ends() const { return 0; }
  // Throws InvalidArgument for a token outside the vocabulary.
  virtual void check(std::int64_t /*vocab_size*/) const {}
};

using RuleList = std::vector<std::shared_ptr<Rule>>;

// The rules of one hypothesis, in the order of their edits.
class Rules {
 public:
  Rules() = default;
  // Forks the prototypes and starts them with a new sentence.
  Rules(const RuleList& prototypes, const NewSentence& sentence);

  Rules fork() const;
  void take(std::int32_t token);
  bool edits() const;
  void edit(LogitsRow& row) const;
  std::int64_t work(std::int64_t vocab_size) const;
  bool ends(std::int32_t token) const;

 private:
  std::shared_ptr<const RuleList> rules_;  // forks share the list unless a rule has a state
  bool has_state_ = false;
};

}  // namespace attnengine
