#include "decoding/continuations.h"

#include <algorithm>
#include <limits>

#include "kernels/kernels.h"

namespace attnengine {
namespace {

// The order of a max-heap: largest log_prob first, then the lower row. Two heads never share a row,
// so tokens need no comparison.
bool worse(const Continuation& a, const Continuation& b) {
  return a.log_prob != b.log_prob ? a.log_prob < b.log_prob : a.row > b.row;
}

}  // namespace

void Continuations::start(const TopKStep& rows, const Hypotheses& hypotheses, std::int64_t limit) {
  rows_ = rows;
  limit_ = std::min(limit, rows.logits.cols);
  lists_.clear();
  heads_.clear();
  for (std::int64_t row = 0; row < rows.logits.rows; ++row) {
    const double so_far = hypotheses.nodes()[hypotheses.live()[row]].log_prob;
    lists_.push_back(
        {rows.log_probs + row * rows.k, rows.tokens + row * rows.k, rows.k, 0, so_far});
    Continuation best;
    if (head(static_cast<std::int32_t>(row), &best)) heads_.push_back(best);
  }
  std::make_heap(heads_.begin(), heads_.end(), worse);
}

bool Continuations::take(Continuation* best) {
  if (heads_.empty()) return false;
  std::pop_heap(heads_.begin(), heads_.end(), worse);
  *best = heads_.back();
  ++lists_[best->row].next;
  if (head(best->row, &heads_.back()))
    std::push_heap(heads_.begin(), heads_.end(), worse);
  else
    heads_.pop_back();
  return true;
}

bool Continuations::head(std::int32_t row, Continuation* best) {
  List& list = lists_[row];
  if (list.next == list.size && list.size < limit_) look_further(row);
  constexpr float kForbidden = -std::numeric_limits<float>::infinity();
  const std::int64_t i = list.next;
  if (i == list.size || list.tokens[i] < 0 || list.log_probs[i] == kForbidden) return false;
  *best = {list.so_far + list.log_probs[i], row, list.tokens[i]};
  return true;
}

// Each lookup is four times as long as the one before, so all lookups cost little more than the
// last.
void Continuations::look_further(std::int32_t row) {
  if (longer_.size() < lists_.size()) longer_.resize(lists_.size());
  List& list = lists_[row];
  Longer& longer = longer_[row];
  list.size = std::min(limit_, 4 * list.size);
  longer.log_probs.resize(list.size);
  longer.tokens.resize(list.size);
  double log_sum;
  const std::int64_t blocks = logit_blocks(rows_.logits.cols);
  kernels().log_softmax_top_k({{rows_.logits[row], 1, rows_.logits.cols},
                               list.size,
                               longer.log_probs.data(),
                               longer.tokens.data(),
                               &log_sum,
                               rows_.maxima + row * blocks,
                               rows_.sums + row * blocks});
  list.log_probs = longer.log_probs.data();
  list.tokens = longer.tokens.data();
}

}  // namespace attnengine
