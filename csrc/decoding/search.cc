#include "decoding/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "core/errors.h"
#include "core/parallel.h"
#include "decoding/logits_rules.h"
#include "kernels/kernels.h"

namespace attnengine {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::string of_sentence(const char* name, std::size_t index) {
  return std::string(name) + " of sentence " + std::to_string(index);
}

void expect_equal(const char* name, std::int64_t value, std::int64_t expected) {
  if (value != expected)
    throw InvalidArgument(std::string(name) + " is " + std::to_string(value) + ", expected " +
                          std::to_string(expected));
}

void expect_token(const std::string& name, std::int64_t token, std::int64_t vocab_size) {
  if (token < 0 || token >= vocab_size)
    throw InvalidArgument(name + " is " + std::to_string(token) +
                          ", expected a token of the vocabulary: 0 to " +
                          std::to_string(vocab_size - 1));
}

}  // namespace

Search::Search(std::shared_ptr<const SearchOptions> options,
               const std::vector<std::int64_t>& start_tokens,
               const std::vector<std::int64_t>& max_new_tokens,
               std::optional<std::int64_t> vocab_size, int num_threads)
    : options_(std::move(options)),
      start_tokens_(start_tokens),
      vocab_size_(vocab_size),
      num_threads_(num_threads) {
  check_threads(num_threads_);
  if (vocab_size) expect_count("vocab_size", *vocab_size, 1);
  const auto count = static_cast<std::int64_t>(start_tokens.size());
  expect_equal("max_new_tokens.shape[0]", static_cast<std::int64_t>(max_new_tokens.size()), count);
  check_tokens(vocab_size.value_or(std::numeric_limits<std::int32_t>::max()));
  for (std::size_t i = 0; i < start_tokens.size(); ++i) {
    expect_count(of_sentence("max_new_tokens", i).c_str(), max_new_tokens[i], 0);
    sentences_.push_back(
        options_->begin(static_cast<std::int32_t>(start_tokens[i]), max_new_tokens[i]));
  }
  first_rows_.resize(count);
  std::iota(first_rows_.begin(), first_rows_.end(), 0);
  collect_rows();
}

bool Search::edits_logits() const {
  return step_ < options_->min_new_tokens && !options_->end_tokens.empty();
}

const Hypotheses& Search::hypotheses(std::int64_t sentence) const {
  const auto count = static_cast<std::int64_t>(sentences_.size());
  if (sentence < 0 || sentence >= count)
    throw InvalidArgument("sentence is " + std::to_string(sentence) + ", expected one of the " +
                          std::to_string(count) + " sentences, counted from 0");
  return sentences_[sentence]->hypotheses();
}

void Search::advance(Matrix logits) {
  check_shape(logits);
  const ThreadScope scope(num_threads_);
  std::optional<ForbiddenTokens> min_length;
  if (edits_logits()) min_length.emplace(logits, options_->end_tokens, saved_logits_);
  const TopKStep found = look_up(constant(logits));
  check_sums(found.logits);
  vocab_size_ = logits.cols;
  advance_sentences(found);
  ++step_;
  collect_rows();
}

void Search::check_tokens(std::int64_t vocab_size) const {
  for (std::size_t i = 0; i < start_tokens_.size(); ++i)
    expect_token(of_sentence("start token", i), start_tokens_[i], vocab_size);
  for (const std::int32_t token : options_->end_tokens)
    expect_token("end token", token, vocab_size);
}

void Search::check_shape(const Matrix& logits) const {
  if (done()) throw InvalidArgument("advance was called, expected no call once the search is done");
  expect_equal("logits.shape[0]", logits.rows, static_cast<std::int64_t>(tokens_.size()));
  expect_equal("logits.shape[1]", logits.cols, vocab_size_.value_or(logits.cols));
  if (!vocab_size_) check_tokens(logits.cols);
}

// The sums tell all: a row whose sum is a number holds no NaN and no +infinity.
void Search::check_sums(ConstMatrix logits) const {
  for (std::int64_t row = 0; row < logits.rows; ++row) {
    if (log_sums_[row] < kInfinity) continue;
    const float* bad = std::find_if_not(logits[row], logits[row] + logits.cols,
                                        [](float logit) { return logit < kInfinity; });
    throw InvalidArgument("the logits of sentence " + std::to_string(owners_[row]) + " (row " +
                          std::to_string(row) + ", token " + std::to_string(bad - logits[row]) +
                          ", step " + std::to_string(step_) + ") hold " +
                          (std::isnan(*bad) ? "NaN" : "+infinity") +
                          ", expected finite numbers or -infinity");
  }
  for (std::size_t i = 0; i < sentences_.size(); ++i)
    if (!sentences_[i]->hypotheses().finished() && sentences_[i]->stuck(&log_sums_[first_rows_[i]]))
      throw InvalidArgument("every token of sentence " + std::to_string(i) +
                            " is forbidden at step " + std::to_string(step_));
}

// One pass over all logits; how many tokens it keeps of a row has no influence on the results.
TopKStep Search::look_up(ConstMatrix logits) {
  std::int64_t k = 1;
  for (const auto& sentence : sentences_)
    if (!sentence->hypotheses().finished()) k = std::max(k, sentence->lookup());
  k = std::min(k, logits.cols);
  log_probs_.resize(logits.rows * k);
  best_tokens_.resize(logits.rows * k);
  log_sums_.resize(logits.rows);
  const TopKStep step{logits, k, log_probs_.data(), best_tokens_.data(), log_sums_.data()};
  kernels().log_softmax_top_k(step);
  return step;
}

void Search::advance_sentences(const TopKStep& found) {
  const auto advance = [this, &found](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      SentenceSearch& sentence = *sentences_[i];
      if (sentence.hypotheses().finished()) continue;
      const std::int64_t row = first_rows_[i];
      const auto rows = static_cast<std::int64_t>(sentence.hypotheses().live().size());
      sentence.advance({{found.logits[row], rows, found.logits.cols},
                        found.k,
                        found.log_probs + row * found.k,
                        found.tokens + row * found.k,
                        found.log_sums + row});
    }
  };
  const auto count = static_cast<std::int64_t>(sentences_.size());
  std::int64_t work = 0;
  for (const auto& sentence : sentences_)
    if (!sentence->hypotheses().finished()) work += sentence->work(found.logits.cols);
  parallel_for(count, work / count, advance);
}

void Search::collect_rows() {
  tokens_.clear();
  parents_.clear();
  owners_.clear();
  for (std::size_t i = 0; i < sentences_.size(); ++i) {
    const Hypotheses& hypotheses = sentences_[i]->hypotheses();
    const auto first_row = static_cast<std::int64_t>(tokens_.size());
    for (const std::int32_t live : hypotheses.live()) {
      const Node& node = hypotheses.nodes()[live];
      tokens_.push_back(node.token);
      parents_.push_back(static_cast<std::int32_t>(first_rows_[i] + node.row));
      owners_.push_back(static_cast<std::int32_t>(i));
    }
    first_rows_[i] = first_row;
  }
}

}  // namespace attnengine
