#pragma once

#include <cstdint>
#include <vector>

#include "decoding/search_options.h"

namespace attnengine {

// One token of the tree of hypotheses.
struct Node {
  std::int32_t token;
  std::int32_t parent;  // node before it, -1: the root, which is the start token
  std::int32_t row;     // which of the sentence's rows of its step predicted it
  double log_prob;      // sum from the root to this token
};

// A finished hypothesis, spelled out.
struct Hypothesis {
  std::vector<std::int32_t> tokens;     // generated, without the end token
  std::vector<double> token_log_probs;  // with the end token's; they sum to log_prob
  std::vector<std::int32_t> rows;       // Node::row of each token, with the end token's
  double log_prob;
  double score;  // log_prob / length ** length_penalty; length counts the end token
  bool stopped;  // by an end token, otherwise by the maximum length
};

// log_prob / length ** length_penalty; 0 stays 0 whatever the power overflows to.
double normalised(double log_prob, std::int64_t length, double length_penalty);

// The hypotheses of one sentence: the tree of all nodes ever kept, which of them are live and
// which have ended. A hypothesis is the index of its last node.
class Hypotheses {
 public:
  Hypotheses(const SearchOptions& options, std::int32_t start_token, std::int64_t max_new_tokens);

  // One step: begin_step, then grow for each node kept, then end_step.
  void begin_step();
  std::int32_t grow(const Node& node);  // lives on unless it is an end token; returns its index
  void end_step();

  // Makes a node one of the candidates, within its step. Of equal scores the lower order is first.
  void end(std::int32_t node, std::int64_t order);
  // Nothing lives on.
  void finish() { live_.clear(); }

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<std::int32_t>& live() const { return live_; }  // nodes, in order of rows
  bool finished() const { return live_.empty(); }
  std::int64_t length() const { return length_; }  // generated tokens of the live ones
  std::int64_t max_length() const { return max_length_; }
  std::int64_t num_ended() const { return num_ended_; }
  bool is_end(std::int32_t node) const;  // an end token, which never has children

  // Whether num_hypotheses have ended and none that ends later can be better than they are: a
  // log-probability only falls, so that `log_prob`, the best of the live ones, bounds them all.
  bool unbeatable(double log_prob) const;

  // The best num_hypotheses that have ended, best first.
  std::vector<Hypothesis> results() const;
  // The tokens that every result which is still possible begins with; once finished, those of
  // the best result.
  std::vector<std::int32_t> stable() const;

 private:
  struct Ended {
    double score;
    std::int64_t order;
    std::int32_t node;
  };

  std::vector<std::int32_t> path(std::int32_t node) const;   // nodes after the root up to it
  std::vector<std::int32_t> spell(std::int32_t node) const;  // tokens, without the end token
  Hypothesis result(const Ended& ended) const;

  const SearchOptions& options_;
  std::int64_t max_length_;
  std::int64_t length_ = 0;
  std::vector<Node> nodes_;
  std::vector<std::int32_t> live_;
  std::vector<std::int32_t> next_live_;
  std::vector<Ended> ended_;  // the best num_hypotheses, best first: no other can return
  std::int64_t num_ended_ = 0;
};

}  // namespace attnengine
