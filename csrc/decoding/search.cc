#include "decoding/search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/errors.h"
#include "core/expect.h"
#include "core/parallel.h"
#include "kernels/kernels.h"

namespace attnengine {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::string of_sentence(const char* name, std::int64_t number) {
  return std::string(name) + " of sentence " + std::to_string(number);
}

}  // namespace

// The rules' edits of the logits of one step; the destructor undoes every edit.
class Search::Edits {
 public:
  Edits(const std::vector<Sentence>& sentences, Matrix logits,
        std::vector<std::vector<EditedLogit>>& edits)
      : logits_(logits), edits_(edits) {
    if (edits_.size() < static_cast<std::size_t>(logits.rows)) edits_.resize(logits.rows);
    for (const Sentence& sentence : sentences) {
      if (!sentence.live()) continue;
      const std::vector<Rules>& rules = sentence.hypotheses().rules();
      for (std::int64_t i = 0; i < sentence.rows(); ++i)
        if (rules[i].edits()) rows_.push_back({sentence.first_row + i, &rules[i]});
    }
  }
  ~Edits() {
    for (const Row& row : rows_) undo(row.index);
  }
  Edits(const Edits&) = delete;
  Edits& operator=(const Edits&) = delete;

  void apply() {
    if (rows_.empty()) return;
    std::int64_t work = 0;
    for (const Row& row : rows_) work += row.rules->work(logits_.cols);
    const auto count = static_cast<std::int64_t>(rows_.size());
    parallel_for(count, work / count, [this](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t index = rows_[i].index;
        LogitsRow row(logits_[index], logits_.cols, edits_[index]);
        rows_[i].rules->edit(row);
      }
    });
  }

 private:
  struct Row {
    std::int64_t index;
    const Rules* rules;
  };

  void undo(std::int64_t row) {
    std::vector<EditedLogit>& edits = edits_[row];
    for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit)
      logits_[row][edit->token] = edit->before;
    edits.clear();
  }

  Matrix logits_;
  std::vector<std::vector<EditedLogit>>& edits_;
  std::vector<Row> rows_;
};

Search::Search(std::optional<std::int64_t> vocab_size, int num_threads, Failures failures)
    : vocab_size_(vocab_size), num_threads_(num_threads), failures_(failures) {
  check_threads(num_threads_);
  if (vocab_size) expect_count("vocab_size", *vocab_size, 1);
}

void Search::add(const std::vector<NewSentence>& sentences) {
  check_new(sentences);
  const auto rows = static_cast<std::int64_t>(tokens_.size());
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const NewSentence& one = sentences[i];
    sentences_.push_back({one.number, one.options, one.past.back(), one.options->begin(one),
                          rows + static_cast<std::int64_t>(i)});
    append_rows(sentences_.back());
  }
}

void Search::drop(std::int64_t sentence) {
  const auto dropped = sentences_.begin() + known(sentence);
  if (dropped->live())
    throw InvalidArgument("sentence " + std::to_string(sentence) +
                          " has live hypotheses, expected a sentence that has ended or failed");
  sentences_.erase(dropped);
}

std::vector<std::int64_t> Search::ended() const {
  std::vector<std::int64_t> ended;
  for (const Sentence& sentence : sentences_)
    if (!sentence.failed() && !sentence.live()) ended.push_back(sentence.number);
  return ended;
}

std::vector<std::pair<std::int64_t, std::string>> Search::failed() const {
  std::vector<std::pair<std::int64_t, std::string>> failed;
  for (const Sentence& sentence : sentences_)
    if (sentence.failed()) failed.emplace_back(sentence.number, sentence.failure);
  return failed;
}

bool Search::edits_logits() const {
  return std::any_of(sentences_.begin(), sentences_.end(), [](const Sentence& sentence) {
    const std::vector<Rules>& rules = sentence.hypotheses().rules();
    return sentence.live() &&
           std::any_of(rules.begin(), rules.end(), [](const Rules& one) { return one.edits(); });
  });
}

const Hypotheses& Search::hypotheses(std::int64_t sentence) const {
  return sentences_[known(sentence)].hypotheses();
}

void Search::advance(Matrix logits) {
  check_shape(logits);
  const ThreadScope scope(num_threads_);
  {
    Edits edits(sentences_, logits, edits_);
    edits.apply();
    const TopKStep found = look_up(constant(logits));
    note_failures(found.logits);
    vocab_size_ = logits.cols;
    advance_sentences(found);
  }
  collect_rows();
}

std::size_t Search::index(std::int64_t number) const {
  const auto is_it = [number](const Sentence& one) { return one.number == number; };
  return std::find_if(sentences_.begin(), sentences_.end(), is_it) - sentences_.begin();
}

std::size_t Search::known(std::int64_t number) const {
  const std::size_t found = index(number);
  if (found == sentences_.size())
    throw InvalidArgument("sentence is " + std::to_string(number) +
                          ", expected the number of a sentence in the search");
  return found;
}

void Search::check_new(const std::vector<NewSentence>& sentences) const {
  const std::int64_t vocab_size = vocab_size_.value_or(std::numeric_limits<std::int32_t>::max());
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const NewSentence& one = sentences[i];
    check_number(sentences, i);
    if (one.past.empty())
      throw InvalidArgument(of_sentence("past", one.number) + " is empty, expected a start token");
    expect_token(of_sentence("start token", one.number), one.past.back(), vocab_size);
    const auto known = [vocab_size](auto token) { return is_token(token, vocab_size); };
    const auto wrong = std::find_if_not(one.past.begin(), one.past.end(), known);
    if (wrong != one.past.end())
      expect_token(of_sentence("a token of past", one.number), *wrong, vocab_size);
    expect_count(of_sentence("max_new_tokens", one.number).c_str(), one.max_new_tokens, 0);
    for (const auto& rule : one.options->rules) rule->check(vocab_size);
  }
}

void Search::check_number(const std::vector<NewSentence>& sentences, std::size_t i) const {
  const std::int64_t number = sentences[i].number;
  expect_count("the number of a sentence", number, 0);
  const auto before = sentences.begin() + static_cast<std::ptrdiff_t>(i);
  const auto same = [number](const NewSentence& one) { return one.number == number; };
  if (index(number) != sentences_.size() || std::any_of(sentences.begin(), before, same))
    throw InvalidArgument("sentence " + std::to_string(number) +
                          " is added twice, expected a number that no other sentence has");
}

void Search::check_vocabulary(std::int64_t vocab_size) const {
  for (const Sentence& sentence : sentences_) {
    expect_token(of_sentence("start token", sentence.number), sentence.start_token, vocab_size);
    for (const auto& rule : sentence.options->rules) rule->check(vocab_size);
  }
}

void Search::check_shape(const Matrix& logits) const {
  if (done()) throw InvalidArgument("the search is done, expected no further call of advance");
  expect_equal(logits.rows, static_cast<std::int64_t>(tokens_.size()), "logits.shape[0]");
  expect_equal(logits.cols, vocab_size_.value_or(logits.cols), "logits.shape[1]");
  if (!vocab_size_) check_vocabulary(logits.cols);
}

// The reason why a sentence cannot continue, or an empty string. A row holds NaN or +infinity
// exactly if its log-sum is NaN or +infinity.
std::string Search::failure(const Sentence& sentence, ConstMatrix logits) const {
  for (std::int64_t row = sentence.first_row; row < sentence.first_row + sentence.rows(); ++row) {
    if (log_sums_[row] < kInfinity) continue;
    const float* bad = std::find_if_not(logits[row], logits[row] + logits.cols,
                                        [](float logit) { return logit < kInfinity; });
    return of_sentence("the logits", sentence.number) + " (row " + std::to_string(row) +
           ", token " + std::to_string(bad - logits[row]) + ", step " +
           std::to_string(lengths_[row]) + ") hold " + (std::isnan(*bad) ? "NaN" : "+infinity") +
           ", expected finite numbers or -infinity";
  }
  if (!sentence.search->stuck(&log_sums_[sentence.first_row])) return "";
  return "every token of sentence " + std::to_string(sentence.number) + " is forbidden at step " +
         std::to_string(sentence.hypotheses().length());
}

void Search::note_failures(ConstMatrix logits) {
  for (Sentence& sentence : sentences_) {
    if (!sentence.live()) continue;
    std::string reason = failure(sentence, logits);
    if (failures_ == Failures::kThrow && !reason.empty()) throw InvalidArgument(reason);
    sentence.failure = std::move(reason);
  }
}

// Looks up the best tokens of all rows in one pass; their number does not change the results.
TopKStep Search::look_up(ConstMatrix logits) {
  std::int64_t k = 1;
  for (const Sentence& sentence : sentences_)
    if (sentence.live()) k = std::max(k, sentence.search->lookup());
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
      if (!sentence.live()) continue;
      const std::int64_t row = sentence.first_row;
      sentence.search->advance({{found.logits[row], sentence.rows(), found.logits.cols},
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
    if (sentence.live()) work += sentence.search->work(found.logits.cols);
  parallel_for(count, work / count, advance);
}

void Search::collect_rows() {
  tokens_.clear();
  parents_.clear();
  owners_.clear();
  lengths_.clear();
  for (Sentence& sentence : sentences_)
    if (sentence.live()) append_rows(sentence);
}

void Search::append_rows(Sentence& sentence) {
  const Hypotheses& hypotheses = sentence.hypotheses();
  const auto first_row = static_cast<std::int64_t>(tokens_.size());
  for (const std::int32_t live : hypotheses.live()) {
    const Node& node = hypotheses.nodes()[live];
    tokens_.push_back(node.token);
    parents_.push_back(static_cast<std::int32_t>(sentence.first_row + node.row));
    owners_.push_back(static_cast<std::int32_t>(sentence.number));
    lengths_.push_back(static_cast<std::int32_t>(hypotheses.length()));
  }
  sentence.first_row = first_row;
}

}  // namespace attnengine
