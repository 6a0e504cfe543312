#pragma once

#include <vector>

#include "core/matrix.h"

namespace attnengine {

// Normalises each row.
class Norm {
 public:
  virtual ~Norm() = default;

  virtual std::int64_t size() const = 0;

  // x and y (rows, size), which may be the same
  virtual void operator()(ConstMatrix x, Matrix y) const = 0;
};

class LayerNorm : public Norm {
 public:
  // weight and bias (size,)
  LayerNorm(std::vector<float> weight, std::vector<float> bias, float eps);

  std::int64_t size() const override { return static_cast<std::int64_t>(weight_.size()); }
  void operator()(ConstMatrix x, Matrix y) const override;

 private:
  std::vector<float> weight_;
  std::vector<float> bias_;
  float eps_;
};

// A layer norm of each head of a row, with weights of its own and no bias.
class PerHeadLayerNorm : public Norm {
 public:
  // weight (num_heads * head_dim,)
  PerHeadLayerNorm(std::vector<float> weight, std::int64_t head_dim, float eps);

  std::int64_t size() const override { return static_cast<std::int64_t>(weight_.size()); }
  void operator()(ConstMatrix x, Matrix y) const override;

 private:
  std::vector<float> weight_;
  LayerNorm head_norm_;  // with weights of 1
};

class RMSNorm : public Norm {
 public:
  // weight (size,)
  RMSNorm(std::vector<float> weight, float eps) : weight_(std::move(weight)), eps_(eps) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(weight_.size()); }
  void operator()(ConstMatrix x, Matrix y) const override;

 private:
  std::vector<float> weight_;
  float eps_;
};

}  // namespace attnengine
