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

// The search of many sentences together; sentences may join and leave while it runs. Each sentence
// has its own options. A step has one row for each live hypothesis, ordered by the time at which
// its sentence was added. A sentence's result depends only on its own rows and options. The search
// gets logits and knows no model. It is not thread-safe.
class Search {
 public:
  // A sentence fails if its logits hold NaN or +infinity, or if all its tokens are forbidden before
  // any hypothesis has ended.
  enum class Failures {
    kThrow,  // advance throws InvalidArgument and changes nothing
    kApart,  // the sentence ends and failed() reports it; the other sentences continue
  };

  // Without vocab_size the first logits set it; until then tokens may be any number. Throws
  // InvalidArgument for a value out of range.
  Search(std::optional<std::int64_t> vocab_size, int num_threads, Failures failures);

  // Adds sentences to the next step. Throws InvalidArgument, and adds none, for a number that is
  // negative or taken, and for other values out of range.
  void add(const std::vector<NewSentence>& sentences);
  // Discards a sentence and its results. Throws InvalidArgument unless it has ended or failed.
  void drop(std::int64_t sentence);

  // The rows of the next step, each (rows,). tokens: the token that the model reads. parents: the
  // row of the previous step that the row continues; new sentences count on from its last row.
  // sentences: the number of the row's sentence. lengths: the number of tokens it has generated.
  const std::vector<std::int32_t>& tokens() const { return tokens_; }
  const std::vector<std::int32_t>& parents() const { return parents_; }
  const std::vector<std::int32_t>& sentences() const { return owners_; }
  const std::vector<std::int32_t>& lengths() const { return lengths_; }
  bool done() const { return tokens_.empty(); }
  // The numbers of the sentences that have ended and are not dropped, in the order added.
  std::vector<std::int64_t> ended() const;
  // The numbers of the sentences that have failed and are not dropped, in the order added, each
  // with the reason.
  std::vector<std::pair<std::int64_t, std::string>> failed() const;

  // Whether the next call of advance writes to the logits (and restores them).
  bool edits_logits() const;

  // Takes one step of every sentence; restores the logits (rows, vocab_size) before it returns.
  // Throws InvalidArgument, and changes nothing, for logits of a wrong shape.
  void advance(Matrix logits);

  // Throws InvalidArgument for an unknown sentence.
  const Hypotheses& hypotheses(std::int64_t sentence) const;

 private:
  struct Sentence {
    std::int64_t number;
    std::shared_ptr<const SearchOptions> options;
    std::int32_t start_token;
    std::unique_ptr<SentenceSearch> search;
    std::int64_t first_row;  // the sentence's first row in the next step
    std::string failure{};   // the reason of its failure; empty: none

    const Hypotheses& hypotheses() const { return search->hypotheses(); }
    bool failed() const { return !failure.empty(); }
    bool live() const { return !failed() && !hypotheses().finished(); }
    std::int64_t rows() const { return static_cast<std::int64_t>(hypotheses().live().size()); }
  };
  class Edits;

  std::size_t index(std::int64_t number) const;  // sentences_.size() for an unknown number
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

  std::vector<Sentence> sentences_;  // in the order added
  std::optional<std::int64_t> vocab_size_;
  int num_threads_;
  Failures failures_;

  std::vector<std::int32_t> tokens_;
  std::vector<std::int32_t> parents_;
  std::vector<std::int32_t> owners_;
  std::vector<std::int32_t> lengths_;

  std::vector<std::vector<EditedLogit>> edits_;  // (rows,) scratch of Edits
  std::vector<float> log_probs_;                 // (rows, k) scratch of look_up
  std::vector<std::int32_t> best_tokens_;        // (rows, k)
  std::vector<double> log_sums_;                 // (rows,)
  std::vector<float> blocks_;                    // (2, rows, blocks of the vocabulary)
};

}  // namespace attnengine
