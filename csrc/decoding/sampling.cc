#include "decoding/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "core/parallel.h"
#include "decoding/sentence_search.h"

namespace attnengine {
namespace {

using Generator = std::mt19937_64;

// A generator seeded by (seed, hypothesis). The C++ standard defines every bit of seed_seq and
// mt19937_64, so all platforms draw the same numbers.
Generator generator(std::uint64_t seed, std::uint32_t hypothesis) {
  constexpr int kWord = 32;
  std::seed_seq words{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> kWord),
                      hypothesis};
  return Generator(words);
}

std::uint64_t fresh_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

// A number in [0, 1) from the upper 53 bits; std::uniform_real_distribution differs between
// libraries.
double uniform(Generator& bits) { return static_cast<double>(bits() >> 11) * 0x1p-53; }

// Draws an index from softmax(logits / temperature); `best` is the largest of the n logits. As u is
// at most 1 - 2^-53, u * total rounds to less than total, so a sum above it always exists.
std::int64_t draw(const float* logits, std::int64_t n, double best, double temperature, double u) {
  thread_local std::vector<double> cumulative;  // (n,) cumulative sums, not normalised
  cumulative.resize(n);
  double total = 0;
  for (std::int64_t i = 0; i < n; ++i)
    cumulative[i] = total += std::exp((logits[i] - best) / temperature);
  const auto first_above = std::upper_bound(cumulative.begin(), cumulative.end(), u * total);
  return first_above - cumulative.begin();
}

class SamplingSentence : public SentenceSearch {
 public:
  SamplingSentence(const SamplingOptions& options, const NewSentence& sentence);

  std::int64_t lookup() const override { return std::max<std::int64_t>(options_.top_k, 1); }
  std::int64_t work(std::int64_t vocab_size) const override;
  bool stuck(const double* log_sums) const override;
  void advance(const TopKStep& rows) override;

 private:
  struct Draw {
    std::int32_t row;
    std::int32_t token;
  };

  std::int32_t draw_token(const TopKStep& rows, std::int32_t row, Generator& bits) const;
  void keep(const TopKStep& rows);

  const SamplingOptions& options_;
  std::vector<Generator> generators_;  // (num_hypotheses,)
  std::vector<std::int32_t> drawing_;  // the numbers of the live hypotheses, ascending
  std::vector<Draw> drawn_;            // the token that each of them drew
};

SamplingSentence::SamplingSentence(const SamplingOptions& options, const NewSentence& sentence)
    : SentenceSearch(options, sentence), options_(options) {
  const std::uint64_t seed = options.seed ? *options.seed : fresh_seed();
  for (std::int32_t i = 0; i < options.num_hypotheses; ++i) {
    generators_.push_back(generator(seed, static_cast<std::uint32_t>(i)));
    drawing_.push_back(i);
  }
}

std::int64_t SamplingSentence::work(std::int64_t vocab_size) const {
  constexpr std::int64_t kExp = 16;  // operations per exp
  const auto drawing = static_cast<std::int64_t>(drawing_.size());
  return drawing * kExp * (options_.top_k > 0 ? std::min(options_.top_k, vocab_size) : vocab_size);
}

bool SamplingSentence::stuck(const double* log_sums) const {
  const auto forbidden = [](double log_sum) {
    return log_sum == -std::numeric_limits<float>::infinity();
  };
  return std::any_of(log_sums, log_sums + hypotheses_.live().size(), forbidden);
}

void SamplingSentence::advance(const TopKStep& rows) {
  const auto drawing = static_cast<std::int64_t>(drawing_.size());
  drawn_.resize(drawing);
  const bool first = hypotheses_.length() == 0;  // the first step has one row for all hypotheses
  const auto draw_all = [this, &rows, first](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int32_t row = first ? 0 : static_cast<std::int32_t>(i);
      drawn_[i] = {row, draw_token(rows, row, generators_[drawing_[i]])};
    }
  };
  parallel_for(drawing, work(rows.logits.cols) / drawing, draw_all);
  keep(rows);
}

std::int32_t SamplingSentence::draw_token(const TopKStep& rows, std::int32_t row,
                                          Generator& bits) const {
  const float* logits = rows.logits[row];
  const std::int32_t* best = rows.tokens + row * rows.k;
  const double u = uniform(bits);
  if (options_.top_k == 0)
    return static_cast<std::int32_t>(
        draw(logits, rows.logits.cols, logits[best[0]], options_.temperature, u));

  thread_local std::vector<std::int32_t> tokens;  // the best top_k allowed tokens, ascending
  thread_local std::vector<float> chosen;         // their logits
  tokens.assign(best, std::find(best, best + std::min(options_.top_k, rows.k), -1));
  std::sort(tokens.begin(), tokens.end());
  chosen.clear();
  for (const std::int32_t token : tokens) chosen.push_back(logits[token]);
  const auto n = static_cast<std::int64_t>(chosen.size());
  return tokens[draw(chosen.data(), n, logits[best[0]], options_.temperature, u)];
}

void SamplingSentence::keep(const TopKStep& rows) {
  std::size_t num_live = 0;
  hypotheses_.begin_step();
  for (std::size_t i = 0; i < drawn_.size(); ++i) {
    const auto [row, token] = drawn_[i];
    const std::int32_t hypothesis = drawing_[i], parent = hypotheses_.live()[row];
    // The log-probability at temperature 1 over all tokens.
    const double log_prob = rows.logits[row][token] - rows.log_sums[row];
    const std::int32_t node = hypotheses_.grow(
        row, token, hypotheses_.nodes()[parent].log_prob + log_prob, hypotheses_.ends(row, token));
    const bool at_end = hypotheses_.length() == hypotheses_.max_length();
    if (at_end || hypotheses_.nodes()[node].ends)
      hypotheses_.end(node, hypothesis);
    else
      drawing_[num_live++] = hypothesis;
  }
  hypotheses_.end_step();
  drawing_.resize(num_live);
  if (drawing_.empty()) hypotheses_.finish();
}

}  // namespace

void SamplingOptions::validate() const {
  SearchOptions::validate();
  expect_count("top_k", top_k, 0);
  if (!(temperature > 0 && std::isfinite(temperature)))
    throw_unexpected("temperature", temperature,
                     "a finite number above 0 (use beam_size 1 for the most likely tokens)");
}

std::unique_ptr<SentenceSearch> SamplingOptions::begin(const NewSentence& sentence) const {
  return std::make_unique<SamplingSentence>(*this, sentence);
}

}  // namespace attnengine
