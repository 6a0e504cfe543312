#pragma once

#include <cstdint>
#include <memory>

#include "core/buffer.h"
#include "layers/feed_forward.h"
#include "layers/linear.h"

namespace attnengine {

// Rows of a decoder in order, and what is carried from token to token: a vector as long as a row.
struct RecurrentRows {
  ConstMatrix x;                  // (rows, size)
  const float* const* before;     // (rows,) what the token before left; zeros at first. It may be
                                  // `after` of an earlier row
  float* const* after;            // (rows,) where this token's goes
  const std::int64_t* positions;  // (rows,)
  Matrix out;                     // (rows, size)
};

struct RecurrenceScratch {
  Buffer first, second;  // (rows, size)
  Buffer both, gates;    // (rows, 2 * size)
  FeedForwardScratch feed_forward;
};

// What a layer of a decoder may have instead of self-attention.
class Recurrence {
 public:
  virtual ~Recurrence() = default;

  // Throws InvalidArgument when the sizes do not fit rows of `size`.
  virtual void check(std::int64_t size) const = 0;

  virtual void run(const RecurrentRows& rows, RecurrenceScratch& scratch) const = 0;
};

// The simpler simple recurrent unit (Kim et al. 2019): f = sigmoid(forget(x)),
// c' = f * c + (1 - f) * input(x), out = relu(c').
class SimpleRecurrence : public Recurrence {
 public:
  SimpleRecurrence(std::shared_ptr<const Linear> forget, std::shared_ptr<const Linear> input)
      : forget_(std::move(forget)), input_(std::move(input)) {}

  void check(std::int64_t size) const override;
  void run(const RecurrentRows& rows, RecurrenceScratch& scratch) const override;

 private:
  std::shared_ptr<const Linear> forget_;  // (size, size)
  std::shared_ptr<const Linear> input_;   // (size, size)
};

// The average attention network (Zhang et al. 2018): the mean m of all x so far, y =
// feed_forward(m), out = i * x + f * y with the gates [i; f] = sigmoid(gate([x; y])).
class AverageRecurrence : public Recurrence {
 public:
  // feed_forward may be null: y = m
  AverageRecurrence(std::shared_ptr<const Linear> gate,
                    std::shared_ptr<const FeedForwardBlock> feed_forward)
      : gate_(std::move(gate)), feed_forward_(std::move(feed_forward)) {}

  void check(std::int64_t size) const override;
  void run(const RecurrentRows& rows, RecurrenceScratch& scratch) const override;

 private:
  std::shared_ptr<const Linear> gate_;  // (2 * size, 2 * size)
  std::shared_ptr<const FeedForwardBlock> feed_forward_;
};

}  // namespace attnengine
