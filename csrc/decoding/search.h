#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/steps.h"
#include "decoding/sentence_search.h"

namespace attnengine {

// The search of many sentences together, which may join and leave while it runs. A step has one row
// for each live hypothesis of each unfinished sentence, in the order in which the sentences were
// added; the result of a sentence depends on its own rows alone. It sees logits, never a model. Not
// thread-safe.
class Search {
 public:
  // Without vocab_size that of the first logits is taken. Throws InvalidArgument for values that
  // make no sense.
  Search(std::shared_ptr<const SearchOptions> options, std::optional<std::int64_t> vocab_size,
         int num_threads);

  // Sentences that take part from the next step on. `numbers` are what the caller calls them; all
  // (sentences,). Throws InvalidArgument, and adds none, for values that make no sense.
  void add(const std::vector<std::int64_t>& numbers, const std::vector<std::int64_t>& start_tokens,
           const std::vector<std::int64_t>& max_new_tokens);
  // Forgets a sentence and what it has found. Throws InvalidArgument unless it is finished.
  void drop(std::int64_t sentence);

  // Of the rows that come next: the token each shows the model, the row of the step before that it
  // continues (of the i-th new sentence: i behind the rows that there were), its sentence, and how
  // many tokens it has generated. All (rows,).
  const std::vector<std::int32_t>& tokens() const { return tokens_; }
  const std::vector<std::int32_t>& parents() const { return parents_; }
  const std::vector<std::int32_t>& sentences() const { return owners_; }
  const std::vector<std::int32_t>& lengths() const { return lengths_; }
  bool done() const { return tokens_.empty(); }
  // The sentences that are finished and not dropped, in order.
  std::vector<std::int64_t> ended() const;

  // Whether the next advance writes to its logits while it runs.
  bool edits_logits() const { return !young_rows_.empty() && !options_->end_tokens.empty(); }

  // One step for every sentence; logits (rows, vocab_size) are afterwards what they were. Throws
  // InvalidArgument, and changes nothing, for logits of a wrong shape, that hold NaN or +infinity,
  // or that forbid every token of a sentence of which nothing has ended.
  void advance(Matrix logits);

  // Throws InvalidArgument when there is no such sentence.
  const Hypotheses& hypotheses(std::int64_t sentence) const;

 private:
  struct Sentence {
    std::int64_t number;
    std::int32_t start_token;
    std::unique_ptr<SentenceSearch> search;
    std::int64_t first_row;  // of the rows that come next

    const Hypotheses& hypotheses() const { return search->hypotheses(); }
    bool finished() const { return hypotheses().finished(); }
  };

  std::size_t place(std::int64_t number) const;  // how many there are if it is none of them
  std::size_t known(std::int64_t number) const;
  void check_new(const std::vector<std::int64_t>& numbers,
                 const std::vector<std::int64_t>& start_tokens,
                 const std::vector<std::int64_t>& max_new_tokens) const;
  void check_vocabulary(std::int64_t vocab_size) const;
  void check_shape(const Matrix& logits) const;
  void check_sums(ConstMatrix logits) const;
  TopKStep look_up(ConstMatrix logits);
  void advance_sentences(const TopKStep& found);
  void append_rows(Sentence& sentence);

  std::shared_ptr<const SearchOptions> options_;
  std::vector<Sentence> sentences_;  // in the order in which they were added
  std::optional<std::int64_t> vocab_size_;
  int num_threads_;

  std::vector<std::int32_t> tokens_;
  std::vector<std::int32_t> parents_;
  std::vector<std::int32_t> owners_;
  std::vector<std::int32_t> lengths_;
  std::vector<std::int64_t> young_rows_;  // those that must not end yet

  std::vector<float> log_probs_;           // (rows, k) scratch of look_up
  std::vector<std::int32_t> best_tokens_;  // (rows, k)
  std::vector<double> log_sums_;           // (rows,)
  std::vector<float> blocks_;              // (2, rows, blocks of the vocabulary)
  std::vector<float> saved_logits_;        // scratch of the rules
};

}  // namespace attnengine
