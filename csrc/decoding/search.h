#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/steps.h"
#include "decoding/sentence_search.h"

namespace attnengine {

// The search of many sentences together. A step has one row for each live hypothesis of each
// unfinished sentence, in the order of the sentences; the result of a sentence depends on its own
// rows alone. It sees logits, never a model. Not thread-safe.
class Search {
 public:
  // start_tokens and max_new_tokens: (sentences,). Without vocab_size that of the first logits is
  // taken. Throws InvalidArgument for values that make no sense.
  Search(std::shared_ptr<const SearchOptions> options,
         const std::vector<std::int64_t>& start_tokens,
         const std::vector<std::int64_t>& max_new_tokens, std::optional<std::int64_t> vocab_size,
         int num_threads);

  // Of the rows that come next: the token each shows the model, the row of the step before that it
  // continues (at first the sentence), and its sentence. All (rows,).
  const std::vector<std::int32_t>& tokens() const { return tokens_; }
  const std::vector<std::int32_t>& parents() const { return parents_; }
  const std::vector<std::int32_t>& sentences() const { return owners_; }
  bool done() const { return tokens_.empty(); }

  // Whether the next advance writes to its logits while it runs.
  bool edits_logits() const;

  // One step for every sentence; logits (rows, vocab_size) are afterwards what they were. Throws
  // InvalidArgument, and changes nothing, for logits of a wrong shape, that hold NaN or +infinity,
  // or that forbid every token of a sentence of which nothing has ended.
  void advance(Matrix logits);

  // Throws InvalidArgument when there is no such sentence.
  const Hypotheses& hypotheses(std::int64_t sentence) const;

 private:
  void check_tokens(std::int64_t vocab_size) const;
  void check_shape(const Matrix& logits) const;
  void check_sums(ConstMatrix logits) const;
  TopKStep look_up(ConstMatrix logits);
  void advance_sentences(const TopKStep& found);
  void collect_rows();

  std::shared_ptr<const SearchOptions> options_;
  std::vector<std::int64_t> start_tokens_;                  // (sentences,)
  std::vector<std::unique_ptr<SentenceSearch>> sentences_;  // (sentences,)
  std::optional<std::int64_t> vocab_size_;
  int num_threads_;
  std::int64_t step_ = 0;

  std::vector<std::int32_t> tokens_;
  std::vector<std::int32_t> parents_;
  std::vector<std::int32_t> owners_;
  std::vector<std::int64_t> first_rows_;  // (sentences,) where the rows of each begin

  std::vector<float> log_probs_;           // (rows, k) scratch of look_up
  std::vector<std::int32_t> best_tokens_;  // (rows, k)
  std::vector<double> log_sums_;           // (rows,)
  std::vector<float> saved_logits_;        // scratch of the rules
};

}  // namespace attnengine
