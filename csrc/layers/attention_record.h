#pragma once

#include <cstdint>
#include <vector>

#include "kernels/steps/scaled_dot.h"

namespace attnengine {

// The weights of attentions that run one behind the other, over the same rows and keys.
class AttentionRecord {
 public:
  // keys: of all rows, the most that any of them can see
  void start(std::int64_t rows, std::int64_t keys);

  std::int64_t attentions() const;
  std::int64_t rows() const { return rows_; }
  std::int64_t heads() const { return heads_; }
  std::int64_t keys() const { return keys_; }
  const float* data() const { return weights_.data(); }  // (attentions, rows, heads, keys)

 private:
  friend Matrix attend(ScaledDotStep, AttentionRecord*);

  // Room for the next attention, (rows * heads, keys).
  Matrix next(std::int64_t heads);

  std::vector<float> weights_;
  std::int64_t rows_ = 0, heads_ = 0, keys_ = 0;
};

// Runs the kernel and, where there is a record, keeps the weights there; returns where they lie.
Matrix attend(ScaledDotStep step, AttentionRecord* record);

}  // namespace attnengine
