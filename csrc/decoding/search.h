#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "decoding/sentence_search.h"
#include "kernels/steps/logits.h"

namespace attnengine {

// The search of many sentences together, which may join and leave while it runs. Each has options
// of its own. A step has one row for each live hypothesis of each unfinished sentence, in the order
// in which the sentences were added; the result of a sentence depends on its own rows and options
// alone. It sees logits, never a model. Not thread-safe.
class Search {
 public:
  // What happens to a sentence that cannot go on: its logits hold NaN or +infinity, or all its
  // tokens are forbidden before anything has ended.
  enum class Failures {
    kThrow,  // advance throws InvalidArgument and changes nothing
    kApart,  // the sentence ends and is told by failed(); the others go on
  };

  // Without vocab_size that of the first logits is taken. Throws InvalidArgument for values that
  // make no sense.
  Search(std::optional<std::int64_t> vocab_size, int num_threads, Failures failures);

  // Sentences that take part from the next step on. Throws InvalidArgument, and adds none, for
  // values that make no sense.
  void add(const std::vector<NewSentence>& sentences);
  // Forgets a sentence and what it has found. Throws InvalidArgument unless it has ended or failed.
  void drop(std::int64_t sentence);

  // Of the rows that come next: the token each shows the model, the row of the step before that it
  // continues (of the i-th new sentence: i behind the rows that there were), its sentence, and how
  // many tokens it has generated. All (rows,).
  const std::vector<std::int32_t>& tokens() const { return tokens_; }
  const std::vector<std::int32_t>& parents() const { return parents_; }
  const std::vector<std::int32_t>& sentences() const { return owners_; }
  const std::vector<std::int32_t>& lengths() const { return lengths_; }
  bool done() const { return tokens_.empty(); }
  // The sentences that have ended and are not dropped, in order.
  std::vector<std::int64_t> ended() const;
  // Those that have failed and are not dropped, in order, with the reason.
  std::vector<std::pair<std::int64_t, std::string>> failed() const;

  // Whether the next advance writes to its logits while it runs.
  bool edits_logits() const;

  // One step for every sentence; logits (rows, vocab_size) are afterwards what they were. Throws
  // InvalidArgument, and changes nothing, for logits of a wrong shape.
  void advance(Matrix logits);

  // Throws InvalidArgument when there is no such sentence.
  const Hypotheses& hypotheses(std::int64_t sentence) const;

 private:
  struct Sentence {
    std::int64_t number;
    std::shared_ptr<const SearchOptions> options;
    std::int32_t start_token;
    std::unique_ptr<SentenceSearch> search;
    std::int64_t first_row;  // of the rows that come next
    std::string failure{};   // why it cannot go on

    const Hypotheses& hypotheses() const { return search->hypotheses(); }
    bool failed() const { return !failure.empty(); }
    bool live() const { return !failed() && !hypotheses().finished(); }
    std::int64_t rows() const { return static_cast<std::int64_t>(hypotheses().live().size()); }
  };
  class Edits;

  std::size_t index(std::int64_t number) const;  // the number of sentences if it is none of them
  std::size_t known(std::int64_t number) const;
  void check_new(const std::vector<NewSentence>& sentences) const;
  void check_number(const std::vector<NewSentence>& sentences, std::size_t i) const;
  void check_vocabulary(std::int64_t vocab_size) const;
  void check_shape(const Matrix& logits) const;
  TopKStep look_up(ConstMatrix logits);
  std::string failure(const Sentence& sentence, ConstMatrix logits) const;
  void note_failures(ConstMatrix logits);
  void advance_sentences(const TopKStep& found);
  void collect_rows();
  void append_rows(Sentence& sentence);

  std::vector<Sentence> sentences_;  // in the order in which they were added
  std::optional<std::int64_t> vocab_size_;
  int num_threads_;
  Failures failures_;

  std::vector<std::int32_t> tokens_;
  std::vector<std::int32_t> parents_;
  std::vector<std::int32_t> owners_;
  std::vector<std::int32_t> lengths_;

  std::vector<std::vector<EditedLogit>> edits_;  // (rows,) scratch of the rules
  std::vector<float> log_probs_;                 // (rows, k) scratch of look_up
  std::vector<std::int32_t> best_tokens_;        // (rows, k)
  std::vector<double> log_sums_;                 // (rows,)
  std::vector<float> blocks_;                    // (2, rows, blocks of the vocabulary)
};

}  // namespace attnengine
