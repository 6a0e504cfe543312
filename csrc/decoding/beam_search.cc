#include "decoding/beam_search.h"

#include <algorithm>
#include <limits>
#include <string>

#include "core/errors.h"
#include "decoding/continuations.h"
#include "decoding/sentence_search.h"

namespace attnengine {
namespace {

// With a beam of k and E end tokens, a step takes at most k + E continuations of one row. At least
// k of the row's best k + E are not end tokens, so they fill the beam. A later continuation of the
// row therefore cannot live on. It cannot end either, as k others rank above it. All rows together
// give at most k * (1 + E): k that live on, and E end tokens for each of k rows.
class BeamSentence : public SentenceSearch {
 public:
  BeamSentence(const BeamSearchOptions& options, const NewSentence& sentence)
      : SentenceSearch(options, sentence),
        options_(options),
        limit_(options.beam_size + options.num_ends()) {}

  std::int64_t lookup() const override;
  std::int64_t work(std::int64_t vocab_size) const override;
  bool stuck(const double* log_sums) const override;
  void advance(const TopKStep& rows) override;

 private:
  struct Expanded {
    Continuation continuation;
    bool ends;
  };

  void expand(const TopKStep& rows);
  void keep();
  bool may_stop() const;

  const BeamSearchOptions& options_;
  const std::int64_t limit_;  // maximum number of continuations taken from one row
  Continuations continuations_;
  std::vector<Expanded> expanded_;  // best first, up to the last that lives on
  std::vector<char> row_ended_;     // (rows,) whether an end token of the row was kept
};

// Four times the mean share of a row; Continuations looks up more where a row needs more.
std::int64_t BeamSentence::lookup() const {
  const auto rows = static_cast<std::int64_t>(hypotheses_.live().size());
  return std::min(limit_, 4 * (limit_ / rows + 1));
}

std::int64_t BeamSentence::work(std::int64_t vocab_size) const {
  constexpr std::int64_t kTake = 64;  // operations to take one continuation
  return std::min(limit_, vocab_size) * kTake;
}

bool BeamSentence::stuck(const double* log_sums) const {
  const auto forbidden = [](double log_sum) {
    return log_sum == -std::numeric_limits<float>::infinity();
  };
  return hypotheses_.num_ended() == 0 &&
         std::all_of(log_sums, log_sums + hypotheses_.live().size(), forbidden);
}

void BeamSentence::advance(const TopKStep& rows) {
  expand(rows);
  keep();
  if (hypotheses_.length() == hypotheses_.max_length())
    for (const std::int32_t node : hypotheses_.live())
      hypotheses_.end(node, hypotheses_.num_ended());
  if (may_stop()) hypotheses_.finish();
}

// Takes the best continuations until beam_size of them live on.
void BeamSentence::expand(const TopKStep& rows) {
  continuations_.start(rows, hypotheses_, limit_);
  expanded_.clear();
  Continuation next;
  for (std::int64_t live = 0; live < options_.beam_size && continuations_.take(&next);) {
    const bool ends = hypotheses_.ends(next.row, next.token);
    expanded_.push_back({next, ends});
    if (!ends) ++live;
  }
}

// Turns each continuation into a node, live or ended. A second end token of the same hypothesis
// spells the same text with a lower score: its node ends, but is not a candidate.
void BeamSentence::keep() {
  row_ended_.assign(hypotheses_.live().size(), false);
  hypotheses_.begin_step();
  for (std::size_t rank = 0; rank < expanded_.size(); ++rank) {
    const auto& [continuation, ends] = expanded_[rank];
    const auto& [log_prob, row, token] = continuation;
    if (ends && static_cast<std::int64_t>(rank) >= options_.beam_size) continue;
    const std::int32_t node = hypotheses_.grow(row, token, log_prob, ends);
    if (ends && !row_ended_[row]) hypotheses_.end(node, hypotheses_.num_ended());
    row_ended_[row] |= ends;
  }
  hypotheses_.end_step();
}

bool BeamSentence::may_stop() const {
  const std::vector<std::int32_t>& live = hypotheses_.live();
  if (live.empty() || hypotheses_.length() == hypotheses_.max_length()) return true;
  if (options_.stopping == BeamSearchOptions::Stopping::kCandidates)
    return hypotheses_.num_ended() >= options_.candidates();
  return hypotheses_.unbeatable(hypotheses_.nodes()[live.front()].log_prob);
}

}  // namespace

void BeamSearchOptions::validate() const {
  expect_count("beam_size", beam_size, 1);
  expect_count("num_candidates", candidates(), 1);
  SearchOptions::validate();
  if (num_hypotheses > candidates())
    throw InvalidArgument("num_hypotheses is " + std::to_string(num_hypotheses) +
                          ", expected at most num_candidates, which is " +
                          std::to_string(candidates()));
}

std::unique_ptr<SentenceSearch> BeamSearchOptions::begin(const NewSentence& sentence) const {
  return std::make_unique<BeamSentence>(*this, sentence);
}

}  // namespace attnengine
