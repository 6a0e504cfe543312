#pragma once

#include <cstdint>
#include <vector>

#include "decoding/search_options.h"

namespace attnengine {

// A node of the tree of hypotheses: one token.
struct Node {
  std::int32_t token;
  std::int32_t parent;  // index of the parent node; -1 for the root, which is the start token
  std::int32_t row;     // row among the sentence's rows of its step that gave the token
  bool ends;            // whether it is an end token, which is not part of the text
  double log_prob;      // sum from the root to this token
};

// An ended hypothesis with its tokens and scores.
struct Hypothesis {
  std::vector<std::int32_t> tokens;     // generated tokens without the end token
  std::vector<double> token_log_probs;  // end token included; they sum to log_prob
  std::vector<std::int32_t> rows;       // Node::row of each token, end token included
  double log_prob;
  double score;  // log_prob / length ** length_penalty; length counts the end token
  bool stopped;  // true: an end token ended it; false: the maximum length did
};

// The hypotheses of one sentence: the tree of all nodes, the live hypotheses with their rules, and
// the ended hypotheses. The index of its last node identifies a hypothesis.
class Hypotheses {
 public:
  Hypotheses(const SearchOptions& options, const NewSentence& sentence);

  // Whether a token ends the live hypothesis of a row.
  bool ends(std::int32_t row, std::int32_t token) const { return rules_[row].ends(token); }

  // One step: begin_step, then grow for each continuation kept, then end_step.
  void begin_step();
  // Adds a node for the live hypothesis of a row and one more token; returns the node's index. The
  // new hypothesis lives on unless `ends`, the result of ends(). `log_prob` is its sum.
  std::int32_t grow(std::int32_t row, std::int32_t token, double log_prob, bool ends);
  void end_step();

  // Makes a node of the current step a candidate. Among equal scores the lower order ranks first.
  void end(std::int32_t node, std::int64_t order);
  // Ends the search of the sentence: no hypothesis lives on.
  void finish();

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<std::int32_t>& live() const { return live_; }  // nodes, in order of rows
  const std::vector<Rules>& rules() const { return rules_; }       // one per live hypothesis
  bool finished() const { return live_.empty(); }
  std::int64_t length() const { return length_; }  // generated tokens per live hypothesis
  std::int64_t max_length() const { return max_length_; }
  std::int64_t num_ended() const { return num_ended_; }

  // Whether num_hypotheses have ended and no live hypothesis can beat them; `log_prob` is the
  // largest of the live hypotheses.
  bool unbeatable(double log_prob) const;

  // The best num_hypotheses ended hypotheses, best first.
  std::vector<Hypothesis> results() const;
  // The tokens that every possible result begins with; once finished, all tokens of the best
  // result.
  std::vector<std::int32_t> stable() const;

 private:
  struct Ended {
    double score;
    std::int64_t order;
    std::int32_t node;
  };

  std::vector<std::int32_t> path(std::int32_t node) const;   // nodes from below the root to it
  std::vector<std::int32_t> spell(std::int32_t node) const;  // tokens, without the end token
  Hypothesis result(const Ended& ended) const;

  const SearchOptions& options_;
  std::int64_t max_length_;
  std::int64_t length_ = 0;
  std::vector<Node> nodes_;
  std::vector<std::int32_t> live_;
  std::vector<std::int32_t> next_live_;
  std::vector<Rules> next_rules_;
  std::vector<Rules> rules_;            // one per live hypothesis
  std::vector<std::int32_t> children_;  // number of next live hypotheses that continue each row
  std::vector<Ended> ended_;            // the best num_hypotheses, best first; others are dropped
  std::int64_t num_ended_ = 0;
};

}  // namespace attnengine
