#include "decoding/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "core/errors.h"
#include "core/expect.h"
#include "core/parallel.h"
#include "decoding/logits_rules.h"
#include "kernels/kernels.h"

namespace attnengine {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::string of_sentence(const char* name, std::int64_t number) {
  return std::string(name) + " of sentence " + std::to_string(number);
}

void expect_token(const std::string& name, std::int64_t token, std::int64_t vocab_size) {
  if (token < 0 || token >= vocab_size)
    throw InvalidArgument(name + " is " + std::to_string(token) +
                          ", expected a token of the vocabulary: 0 to " +
                          std::to_string(vocab_size - 1));
}

}  // namespace

Search::Search(std::shared_ptr<const SearchOptions> options, std::optional<std::int64_t> vocab_size,
               int num_threads)
    : options_(std::move(options)), vocab_size_(vocab_size), num_threads_(num_threads) {
  check_threads(num_threads_);
  if (!vocab_size) return;
  expect_count("vocab_size", *vocab_size, 1);
  check_vocabulary(*vocab_size);
}

void Search::add(const std::vector<std::int64_t>& numbers,
                 const std::vector<std::int64_t>& start_tokens,
                 const std::vector<std::int64_t>& max_new_tokens) {
  check_new(numbers, start_tokens, max_new_tokens);
  const auto rows = static_cast<std::int64_t>(tokens_.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto start = static_cast<std::int32_t>(start_tokens[i]);
    const auto row = rows + static_cast<std::int64_t>(i);
    sentences_.push_back({numbers[i], start, options_->begin(start, max_new_tokens[i]), row});
    append_rows(sentences_.back());
  }
}

void Search::drop(std::int64_t sentence) {
  const auto dropped = sentences_.begin() + known(sentence);
  if (!dropped->finished())
    throw InvalidArgument("sentence " + std::to_string(sentence) +
                          " has live hypotheses, expected one that is finished");
  sentences_.erase(dropped);
}

std::vector<std::int64_t> Search::ended() const {
  std::vector<std::int64_t> ended;
  for (const Sentence& sentence : sentences_)
    if (sentence.finished()) ended.push_back(sentence.number);
  return ended;
}

const Hypotheses& Search::hypotheses(std::int64_t sentence) const {
  return sentences_[known(sentence)].hypotheses();
}

void Search::advance(Matrix logits) {
  check_shape(logits);
  const ThreadScope scope(num_threads_);
  std::optional<ForbiddenTokens> min_length;
  if (edits_logits()) min_length.emplace(logits, young_rows_, options_->end_tokens, saved_logits_);
  const TopKStep found = look_up(constant(logits));
  check_sums(found.logits);
  vocab_size_ = logits.cols;
  advance_sentences(found);
  min_length.reset();  // which reads the rows that are now replaced
  tokens_.clear();
  parents_.clear();
  owners_.clear();
  lengths_.clear();
  young_rows_.clear();
  for (Sentence& sentence : sentences_) append_rows(sentence);
}

std::size_t Search::place(std::int64_t number) const {
  const auto is_it = [number](const Sentence& one) { return one.number == number; };
  return std::find_if(sentences_.begin(), sentences_.end(), is_it) - sentences_.begin();
}

std::size_t Search::known(std::int64_t number) const {
  const std::size_t found = place(number);
  if (found == sentences_.size())
    throw InvalidArgument("sentence is " + std::to_string(number) + ", expected one of the " +
                          std::to_string(sentences_.size()) + " of the search");
  return found;
}

void Search::check_new(const std::vector<std::int64_t>& numbers,
                       const std::vector<std::int64_t>& start_tokens,
                       const std::vector<std::int64_t>& max_new_tokens) const {
  const auto count = static_cast<std::int64_t>(numbers.size());
  expect_equal(static_cast<std::int64_t>(start_tokens.size()), count, "start_tokens.shape[0]");
  expect_equal(static_cast<std::int64_t>(max_new_tokens.size()), count, "max_new_tokens.shape[0]");
  const std::int64_t vocab_size = vocab_size_.value_or(std::numeric_limits<std::int32_t>::max());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    expect_count("the number of a sentence", numbers[i], 0);
    if (numbers[i] > std::numeric_limits<std::int32_t>::max())
      throw InvalidArgument("the number of a sentence is " + std::to_string(numbers[i]) +
                            ", expected at most 2 ** 31 - 1");
    if (place(numbers[i]) != sentences_.size() ||
        std::find(numbers.begin(), numbers.begin() + i, numbers[i]) != numbers.begin() + i)
      throw InvalidArgument("sentence " + std::to_string(numbers[i]) +
                            " is added, expected a number that no other has");
    expect_token(of_sentence("start token", numbers[i]), start_tokens[i], vocab_size);
    expect_count(of_sentence("max_new_tokens", numbers[i]).c_str(), max_new_tokens[i], 0);
  }
}

void Search::check_vocabulary(std::int64_t vocab_size) const {
  for (const Sentence& sentence : sentences_)
    expect_token(of_sentence("start token", sentence.number), sentence.start_token, vocab_size);
  for (const std::int32_t token : options_->end_tokens)
    expect_token("end token", token, vocab_size);
}

void Search::check_shape(const Matrix& logits) const {
  if (done()) throw InvalidArgument("advance was called, expected no call once the search is done");
  expect_equal(logits.rows, static_cast<std::int64_t>(tokens_.size()), "logits.shape[0]");
  expect_equal(logits.cols, vocab_size_.value_or(logits.cols), "logits.shape[1]");
  if (!vocab_size_) check_vocabulary(logits.cols);
}

// The sums tell all: a row whose sum is a number holds no NaN and no +infinity.
void Search::check_sums(ConstMatrix logits) const {
  for (std::int64_t row = 0; row < logits.rows; ++row) {
    if (log_sums_[row] < kInfinity) continue;
    const float* bad = std::find_if_not(logits[row], logits[row] + logits.cols,
                                        [](float logit) { return logit < kInfinity; });
    throw InvalidArgument("the logits of sentence " + std::to_string(owners_[row]) + " (row " +
                          std::to_string(row) + ", token " + std::to_string(bad - logits[row]) +
                          ", step " + std::to_string(lengths_[row]) + ") hold " +
                          (std::isnan(*bad) ? "NaN" : "+infinity") +
                          ", expected finite numbers or -infinity");
  }
  for (const Sentence& sentence : sentences_)
    if (!sentence.finished() && sentence.search->stuck(&log_sums_[sentence.first_row]))
      throw InvalidArgument("every token of sentence " + std::to_string(sentence.number) +
                            " is forbidden at step " +
                            std::to_string(sentence.hypotheses().length()));
}

// One pass over all logits; how many tokens it keeps of a row has no influence on the results.
TopKStep Search::look_up(ConstMatrix logits) {
  std::int64_t k = 1;
  for (const Sentence& sentence : sentences_)
    if (!sentence.finished()) k = std::max(k, sentence.search->lookup());
  k = std::min(k, logits.cols);
  log_probs_.resize(logits.rows * k);
  best_tokens_.resize(logits.rows * k);
  log_sums_.resize(logits.rows);
  const std::int64_t blocks = logits.rows * logit_blocks(logits.cols);
  blocks_.resize(2 * blocks);
  const TopKStep step{logits,
                      k,
                      log_probs_.data(),
                      best_tokens_.data(),
                      log_sums_.data(),
                      blocks_.data(),
                      blocks_.data() + blocks};
  kernels().log_softmax_top_k(step);
  return step;
}

void Search::advance_sentences(const TopKStep& found) {
  const std::int64_t blocks = logit_blocks(found.logits.cols);
  const auto advance = [this, &found, blocks](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Sentence& sentence = sentences_[i];
      if (sentence.finished()) continue;
      const std::int64_t row = sentence.first_row;
      const auto rows = static_cast<std::int64_t>(sentence.hypotheses().live().size());
      sentence.search->advance({{found.logits[row], rows, found.logits.cols},
                                found.k,
                                found.log_probs + row * found.k,
                                found.tokens + row * found.k,
                                found.log_sums + row,
                                found.maxima + row * blocks,
                                found.sums + row * blocks});
    }
  };
  const auto count = static_cast<std::int64_t>(sentences_.size());
  std::int64_t work = 0;
  for (const Sentence& sentence : sentences_)
    if (!sentence.finished()) work += sentence.search->work(found.logits.cols);
  parallel_for(count, work / count, advance);
}

void Search::append_rows(Sentence& sentence) {
  const Hypotheses& hypotheses = sentence.hypotheses();
  const auto first_row = static_cast<std::int64_t>(tokens_.size());
  for (const std::int32_t live : hypotheses.live()) {
    const Node& node = hypotheses.nodes()[live];
    if (hypotheses.length() < options_->min_new_tokens)
      young_rows_.push_back(static_cast<std::int64_t>(tokens_.size()));
    tokens_.push_back(node.token);
    parents_.push_back(static_cast<std::int32_t>(sentence.first_row + node.row));
    owners_.push_back(static_cast<std::int32_t>(sentence.number));
    lengths_.push_back(static_cast<std::int32_t>(hypotheses.length()));
  }
  sentence.first_row = first_row;
}

}  // namespace attnengine
