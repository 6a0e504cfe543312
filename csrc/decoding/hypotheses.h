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
  bool ends;            // it completes the hypothesis and is no part of the text
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

// The hypotheses of one sentence: the tree of all nodes ever kept, which of them are live, with
// their rules, and which have ended. A hypothesis is the index of its last node.
class Hypotheses {
 public:
  Hypotheses(const SearchOptions& options, const NewSentence& sentence);

  // Whether a token completes the live hypothesis of a row.
  bool ends(std::int32_t row, std::int32_t token) const { return rules_[row].ends(token); }

  // One step: begin_step, then grow for each continuation kept, then end_step.
  void begin_step();
  // The live hypothesis of a row and one token more, as a node: lives on unless the token ends it.
  // `log_prob` is that of the whole hypothesis, `ends` what ends() says. Returns the node's index.
  std::int32_t grow(std::int32_t row, std::int32_t token, double log_prob, bool ends);
  void end_step();

  // Makes a node one of the candidates, within its step. Of equal scores the lower order is first.
  void end(std::int32_t node, std::int64_t order);
  // Nothing lives on.
  void finish();

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<std::int32_t>& live() const { return live_; }  // nodes, in order of rows
  const std::vector<Rules>& rules() const { return rules_; }       // of each live one
  bool finished() const { return live_.empty(); }
  std::int64_t length() const { return length_; }  // generated tokens of the live ones
  std::int64_t max_length() const { return max_length_; }
  std::int64_t num_ended() const { return num_ended_; }

  // Whether num_hypotheses have ended and none that ends later can be better than they are;
  // `log_prob` is the best of the live ones.
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
  std::vector<Rules> next_rules_;
  std::vector<Rules> rules_;            // of each live hypothesis
  std::vector<std::int32_t> children_;  // how many of the next live ones continue each row
  std::vector<Ended> ended_;            // the best num_hypotheses, best first: no other can return
  std::int64_t num_ended_ = 0;
};

}  // namespace attnengine
