#pragma once

#include <memory>
#include <vector>

#include "core/buffer.h"
#include "kernels/steps/attention.h"
#include "layers/linear.h"

namespace attnengine {

// Attention of an RNN decoder over encoder states. The four scores are two kernels: `general` is
// `dot` with a projected query, `concat` is `additive` with its matrix cut in two.
class AttentionScore {
 public:
  // query (key_dim, hidden), key (key_dim, encoder_size): null where there is no projection.
  // vector (key_dim,): additive; empty: dot.
  AttentionScore(std::shared_ptr<const Linear> query, std::shared_ptr<const Linear> key,
                 std::vector<float> vector);

  // Throws InvalidArgument unless the projections fit a decoder's and an encoder's size.
  void check_sizes(std::int64_t hidden_size, std::int64_t encoder_size) const;

  bool projects_keys() const { return key_ != nullptr; }
  std::int64_t key_dim(std::int64_t encoder_size) const {
    return key_ ? key_->out() : encoder_size;
  }

  // Once per sentence: states (src, encoder_size) -> keys (src, key_dim).
  void project_keys(ConstMatrix states, Matrix keys) const { (*key_)(states, keys); }

  // hidden (rows, hidden) -> step.weights and step.context; step.query is ours to fill.
  void attend(ConstMatrix hidden, AttentionStep step, Buffer& scratch) const;

 private:
  std::shared_ptr<const Linear> query_;
  std::shared_ptr<const Linear> key_;
  std::vector<float> vector_;  // (key_dim,) or empty
};

}  // namespace attnengine
