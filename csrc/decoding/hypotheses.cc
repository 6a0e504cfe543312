#include "decoding/hypotheses.h"

#include <algorithm>
#include <utility>

namespace attnengine {

Hypotheses::Hypotheses(const SearchOptions& options, const NewSentence& sentence)
    : options_(options),
      max_length_(sentence.max_new_tokens),
      nodes_{{sentence.past.back(), -1, 0, false, 0}},
      live_{0} {
  rules_.emplace_back(options.rules, sentence);
  if (max_length_ > 0) return;
  end(0, 0);
  finish();
}

void Hypotheses::finish() {
  live_.clear();
  rules_.clear();
}

void Hypotheses::begin_step() {
  next_live_.clear();
  children_.assign(live_.size(), 0);
  ++length_;
}

std::int32_t Hypotheses::grow(std::int32_t row, std::int32_t token, double log_prob, bool ends) {
  const auto index = static_cast<std::int32_t>(nodes_.size());
  nodes_.push_back({token, live_[row], row, ends, log_prob});
  if (!ends) {
    next_live_.push_back(index);
    ++children_[row];
  }
  return index;
}

// The last child of a hypothesis takes over its rules; the other children fork them.
void Hypotheses::end_step() {
  next_rules_.clear();
  for (const std::int32_t node : next_live_) {
    const std::int32_t row = nodes_[node].row;
    next_rules_.push_back(--children_[row] > 0 ? rules_[row].fork() : std::move(rules_[row]));
    next_rules_.back().take(nodes_[node].token);
  }
  rules_.swap(next_rules_);
  live_.swap(next_live_);
}

void Hypotheses::end(std::int32_t node, std::int64_t order) {
  const double score = options_.score.of(nodes_[node].log_prob, length_);
  const Ended ended{score, order, node};
  const auto better = [](const Ended& a, const Ended& b) {
    return a.score != b.score ? a.score > b.score : a.order < b.order;
  };
  ended_.insert(std::upper_bound(ended_.begin(), ended_.end(), ended, better), ended);
  if (static_cast<std::int64_t>(ended_.size()) > options_.num_hypotheses) ended_.pop_back();
  ++num_ended_;
}

bool Hypotheses::unbeatable(double log_prob) const {
  if (num_ended_ < options_.num_hypotheses) return false;
  return ended_.back().score >= options_.score.bound(log_prob, length_ + 1, max_length_);
}

std::vector<std::int32_t> Hypotheses::path(std::int32_t node) const {
  std::vector<std::int32_t> path;
  for (; node > 0; node = nodes_[node].parent) path.push_back(node);
  std::reverse(path.begin(), path.end());
  return path;
}

std::vector<std::int32_t> Hypotheses::spell(std::int32_t node) const {
  std::vector<std::int32_t> tokens = path(nodes_[node].ends ? nodes_[node].parent : node);
  for (std::int32_t& token : tokens) token = nodes_[token].token;
  return tokens;
}

Hypothesis Hypotheses::result(const Ended& ended) const {
  Hypothesis result;
  result.tokens = spell(ended.node);
  for (const std::int32_t node : path(ended.node)) {
    result.token_log_probs.push_back(nodes_[node].log_prob - nodes_[nodes_[node].parent].log_prob);
    result.rows.push_back(nodes_[node].row);
  }
  result.log_prob = nodes_[ended.node].log_prob;
  result.score = ended.score;
  result.stopped = nodes_[ended.node].ends;
  return result;
}

std::vector<Hypothesis> Hypotheses::results() const {
  std::vector<Hypothesis> results;
  for (const Ended& ended : ended_) results.push_back(result(ended));
  return results;
}

std::vector<std::int32_t> Hypotheses::stable() const {
  if (finished()) return spell(ended_.front().node);
  std::vector<std::int32_t> common = spell(live_.front());
  const auto shorten = [this, &common](std::int32_t node) {
    const std::vector<std::int32_t> other = spell(node);
    const auto size = std::min(common.size(), other.size());
    const auto differs = std::mismatch(common.begin(), common.begin() + size, other.begin());
    common.erase(differs.first, common.end());
  };
  for (const std::int32_t node : live_) shorten(node);
  for (const Ended& ended : ended_) shorten(ended.node);
  return common;
}

}  // namespace attnengine
