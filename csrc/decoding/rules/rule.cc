#include "decoding/rules/rule.h"

#include <algorithm>
#include <limits>

namespace attnengine {

void LogitsRow::set(std::int32_t token, float value) {
  edits_.push_back({token, logits_[token]});
  logits_[token] = value;
}

void LogitsRow::forbid(std::int32_t token) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (logits_[token] < kInfinity) set(token, -kInfinity);
}

Rules::Rules(const SharedRules& prototypes, const NewSentence& sentence) {
  for (const auto& prototype : prototypes) {
    rules_.push_back(prototype->fork());
    rules_.back()->start(sentence);
  }
}

Rules Rules::fork() const {
  Rules forked;
  forked.rules_.reserve(rules_.size());
  for (const auto& rule : rules_) forked.rules_.push_back(rule->fork());
  return forked;
}

void Rules::take(std::int32_t token) {
  for (const auto& rule : rules_) rule->take(token);
}

bool Rules::edits() const {
  return std::any_of(rules_.begin(), rules_.end(), [](const auto& rule) { return rule->edits(); });
}

void Rules::edit(LogitsRow& row) const {
  for (const auto& rule : rules_) rule->edit(row);
}

std::int64_t Rules::work(std::int64_t vocab_size) const {
  std::int64_t work = 0;
  for (const auto& rule : rules_) work += rule->work(vocab_size);
  return work;
}

bool Rules::ends(std::int32_t token) const {
  return std::any_of(rules_.begin(), rules_.end(),
                     [token](const auto& rule) { return rule->ends(token); });
}

}  // namespace attnengine
