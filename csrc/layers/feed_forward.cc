#include "layers/feed_forward.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "core/expect.h"
#include "kernels/kernels.h"
#include "layers/columns.h"

namespace attnengine {
namespace {

// Leaves in `scores` (experts,) the weights of the k largest, of equal ones the first, and 0.
void keep_largest(float* scores, std::int64_t experts, std::int64_t k, bool normalise,
                  std::vector<std::int32_t>& order) {
  order.resize(experts);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return scores[a] > scores[b]; });
  float sum = 0;
  for (std::int64_t i = 0; i < k; ++i) sum += scores[order[i]];
  for (std::int64_t i = 0; i < experts; ++i)
    scores[order[i]] = i < k ? scores[order[i]] / (normalise ? sum : 1.0f) : 0.0f;
}

}  // namespace

FeedForward::FeedForward(std::shared_ptr<const Linear> up, std::shared_ptr<const Linear> down,
                         Activation activation, bool gated)
    : up_(std::move(up)), down_(std::move(down)), activation_(activation), gated_(gated) {
  expect_equal(up_->out(), (gated_ ? 2 : 1) * down_->in(), "feed_forward up weight.shape[0]");
}

void FeedForward::check(std::int64_t size) const {
  expect_equal(up_->in(), size, "feed_forward up weight.shape[1]");
  expect_equal(down_->out(), size, "feed_forward down weight.shape[0]");
}

void FeedForward::run(ConstMatrix x, Matrix out, bool add, FeedForwardScratch& scratch) const {
  Matrix intermediate = scratch.intermediate.matrix(x.rows, up_->out());
  (*up_)(x, intermediate, gated_ ? Activation::kNone : activation_);
  if (gated_) {
    const Matrix gated = scratch.gate.matrix(x.rows, down_->in());
    kernels().gated_activation(activation_, constant(intermediate), gated);
    intermediate = gated;
  }
  (*down_)(constant(intermediate), out, Activation::kNone, add);
}

Experts::Experts(std::shared_ptr<const Linear> router,
                 std::vector<std::shared_ptr<const FeedForward>> experts,
                 std::int64_t experts_per_token, bool normalise)
    : router_(std::move(router)),
      experts_(std::move(experts)),
      experts_per_token_(experts_per_token),
      normalise_(normalise) {
  expect_equal(router_->out(), count(), "router weight.shape[0]");
  if (experts_per_token_ < 1 || experts_per_token_ > count())
    throw InvalidArgument("experts_per_token is " + std::to_string(experts_per_token_) +
                          ", expected 1 to " + std::to_string(count()));
}

void Experts::check(std::int64_t size) const {
  expect_equal(router_->in(), size, "router weight.shape[1]");
  for (const auto& expert : experts_) expert->check(size);
}

// The weight of each expert for each row (rows, experts), 0 where it is not chosen.
Matrix Experts::route(ConstMatrix x, FeedForwardScratch& scratch) const {
  const Matrix scores = scratch.scores.matrix(x.rows, count());
  (*router_)(x, scores);
  kernels().softmax(scores);
  for (std::int64_t row = 0; row < x.rows; ++row)
    keep_largest(scores[row], count(), experts_per_token_, normalise_, scratch.order);
  return scores;
}

// Each expert takes the rows that chose it together; a row adds up its experts in their order,
// whatever other rows there are.
void Experts::run(ConstMatrix x, Matrix out, bool add, FeedForwardScratch& scratch) const {
  const Matrix weights = route(x, scratch);
  const Matrix sum = add ? scratch.sum.matrix(x.rows, x.cols) : out;
  std::fill_n(sum.data, sum.rows * sum.cols, 0.0f);
  for (std::int64_t expert = 0; expert < count(); ++expert) {
    std::vector<std::int32_t>& chosen = scratch.order;
    chosen.clear();
    for (std::int64_t row = 0; row < x.rows; ++row)
      if (weights[row][expert] != 0) chosen.push_back(static_cast<std::int32_t>(row));
    const auto rows = static_cast<std::int64_t>(chosen.size());
    if (rows == 0) continue;
    const Matrix in = scratch.rows.matrix(rows, x.cols), y = scratch.out.matrix(rows, x.cols);
    for (std::int64_t i = 0; i < rows; ++i) std::copy_n(x[chosen[i]], x.cols, in[i]);
    experts_[expert]->run(constant(in), y, /*add=*/false, scratch);
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t d = 0; d < x.cols; ++d)
        sum[chosen[i]][d] += weights[chosen[i]][expert] * y[i][d];
  }
  if (add) attnengine::add(constant(sum), out);
}

}  // namespace attnengine
