#include "decoding/rules/rule.h"

#include <limits>
#include <utility>

#include "decoding/search_options.h"

namespace attnengine {

void LogitsRow::set(std::int32_t token, float value) {
  edits_.push_back({token, (*this)[token]});
  logits_[token] = value;
}

void LogitsRow::forbid(std::int32_t token) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if ((*this)[token] < kInfinity) set(token, -kInfinity);
}

std::int32_t LogitsRow::checked(std::int32_t token) const {
  if (!is_token(token, vocab_size_)) expect_token("a rule's token", token, vocab_size_);
  return token;
}

Rules::Rules(const RuleList& prototypes, const NewSentence& sentence) {
  auto rules = std::make_shared<RuleList>();
  for (const auto& prototype : prototypes) {
    rules->push_back(prototype->fork());
    rules->back()->start(sentence);
    has_state_ |= rules->back() != prototype;
  }
  rules_ = std::move(rules);
}

Rules Rules::fork() const {
  if (!has_state_) return *this;
  auto rules = std::make_shared<RuleList>();
  rules->reserve(rules_->size());
  for (const auto& rule : *rules_) rules->push_back(rule->fork());
  Rules forked;
  forked.rules_ = std::move(rules);
  forked.has_state_ = true;
  return forked;
}

void Rules::take(std::int32_t token) {
  if (!has_state_) return;
  for (const auto& rule : *rules_) rule->take(token);
}

bool Rules::edits() const {
  for (const auto& rule : *rules_)
    if (rule->edits()) return true;
  return false;
}

void Rules::edit(LogitsRow& row) const {
  for (const auto& rule : *rules_)
    if (rule->edits()) rule->edit(row);
}

std::int64_t Rules::work(std::int64_t vocab_size) const {
  std::int64_t work = 0;
  for (const auto& rule : *rules_)
    if (rule->edits()) work += rule->work(vocab_size);
  return work;
}

bool Rules::ends(std::int32_t token) const {
  for (const auto& rule : *rules_)
    if (rule->ends(token)) return true;
  return false;
}

}  // namespace attnengine
