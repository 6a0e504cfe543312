#include "decoding/hypotheses.h"

#include <algorithm>
#include <cmath>

namespace attnengine {

double normalised(double log_prob, std::int64_t length, double length_penalty) {
  return log_prob == 0 ? 0 : log_prob / std::pow(static_cast<double>(length), length_penalty);
}

Hypotheses::Hypotheses(const SearchOptions& options, std::int32_t start_token,
                       std::int64_t max_new_tokens)
    : options_(options), max_length_(max_new_tokens), nodes_{{start_token, -1, 0, 0}}, live_{0} {
  if (max_new_tokens > 0) return;
  end(0, 0);
  finish();
}

void Hypotheses::begin_step() {
  next_live_.clear();
  ++length_;
}

std::int32_t Hypotheses::grow(const Node& node) {
  const auto index = static_cast<std::int32_t>(nodes_.size());
  nodes_.push_back(node);
  if (!is_end(index)) next_live_.push_back(index);
  return index;
}

void Hypotheses::end_step() { live_.swap(next_live_); }

void Hypotheses::end(std::int32_t node, std::int64_t order) {
  const double score = normalised(nodes_[node].log_prob, length_, options_.length_penalty);
  const Ended ended{score, order, node};
  const auto better = [](const Ended& a, const Ended& b) {
    return a.score != b.score ? a.score > b.score : a.order < b.order;
  };
  ended_.insert(std::upper_bound(ended_.begin(), ended_.end(), ended, better), ended);
  if (static_cast<std::int64_t>(ended_.size()) > options_.num_hypotheses) ended_.pop_back();
  ++num_ended_;
}

// The root is no end token even where start and end token are the same.
bool Hypotheses::is_end(std::int32_t node) const {
  return node != 0 && options_.ends(nodes_[node].token);
}

// With a positive length penalty the longest end helps most, with a negative one the nearest.
bool Hypotheses::unbeatable(double log_prob) const {
  if (num_ended_ < options_.num_hypotheses) return false;
  const std::int64_t length = options_.length_penalty > 0 ? max_length_ : length_ + 1;
  return ended_.back().score >= normalised(log_prob, length, options_.length_penalty);
}

std::vector<std::int32_t> Hypotheses::path(std::int32_t node) const {
  std::vector<std::int32_t> path;
  for (; node > 0; node = nodes_[node].parent) path.push_back(node);
  std::reverse(path.begin(), path.end());
  return path;
}

std::vector<std::int32_t> Hypotheses::spell(std::int32_t node) const {
  std::vector<std::int32_t> tokens = path(is_end(node) ? nodes_[node].parent : node);
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
  result.stopped = is_end(ended.node);
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
