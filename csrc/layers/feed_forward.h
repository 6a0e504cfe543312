#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/buffer.h"
#include "layers/linear.h"

namespace attnengine {

struct FeedForwardScratch {
  Buffer intermediate, gate;        // (rows, outputs of up), (rows, intermediate)
  Buffer scores, sum;               // of experts: (rows, experts), (rows, hidden)
  Buffer rows, out;                 // (rows of one expert, hidden)
  std::vector<std::int32_t> order;  // experts of a row, then rows of an expert
};

// What a Transformer's layer does to each row after attention.
class FeedForwardBlock {
 public:
  virtual ~FeedForwardBlock() = default;

  // Throws InvalidArgument when the sizes do not fit rows of `size`.
  virtual void check(std::int64_t size) const = 0;

  // x (rows, hidden) -> out (rows, hidden), or added to it: then x may be out
  virtual void run(ConstMatrix x, Matrix out, bool add, FeedForwardScratch& scratch) const = 0;
};

// down(activation(up(x))); gated (Shazeer 2020): down(activation(gate(x)) * up(x)).
class FeedForward : public FeedForwardBlock {
 public:
  // up (intermediate, hidden), gated: (2 * intermediate, hidden), the gate's outputs first;
  // down (hidden, intermediate)
  FeedForward(std::shared_ptr<const Linear> up, std::shared_ptr<const Linear> down,
              Activation activation, bool gated);

  void check(std::int64_t size) const override;
  void run(ConstMatrix x, Matrix out, bool add, FeedForwardScratch& scratch) const override;

 private:
  std::shared_ptr<const Linear> up_;
  std::shared_ptr<const Linear> down_;
  Activation activation_;  // of the gate, where there is one
  bool gated_;
};

// A mixture of experts (Jiang et al. 2024): each row goes through the experts to which the router
// gives most, weighted by what it gives; `normalise` makes the weights of the chosen ones sum to 1.
class Experts : public FeedForwardBlock {
 public:
  Experts(std::shared_ptr<const Linear> router,
          std::vector<std::shared_ptr<const FeedForward>> experts, std::int64_t experts_per_token,
          bool normalise);

  void check(std::int64_t size) const override;
  void run(ConstMatrix x, Matrix out, bool add, FeedForwardScratch& scratch) const override;

 private:
  std::int64_t count() const { return static_cast<std::int64_t>(experts_.size()); }
  Matrix route(ConstMatrix x, FeedForwardScratch& scratch) const;

  std::shared_ptr<const Linear> router_;  // (experts, hidden)
  std::vector<std::shared_ptr<const FeedForward>> experts_;
  std::int64_t experts_per_token_;
  bool normalise_;
};

}  // namespace attnengine
