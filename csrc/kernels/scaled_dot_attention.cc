#include "kernels/scaled_dot_attention.h"

#include "core/parallel.h"
#include "simd/dot.h"
#include "simd/softmax.h"
#include "simd/tanh.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

constexpr std::int64_t kBlock = 64;

// One query head of one row and what it reads and writes.
struct Head {
  std::int64_t index;
  const float* query;        // (head_dim,)
  const float* const* keys;  // (length,) see ScaledDotStep::table
  std::int64_t kv_offset;    // floats from there to this head's key
  std::int64_t length;
  std::int64_t place;  // of the query among the keys
  float* context;      // (head_dim,)
  float* weights;      // (longest,) or null
};

Head head_of(const ScaledDotStep& step, std::int64_t row, std::int64_t head) {
  const std::int64_t kv_head = head / (step.num_heads / step.num_kv_heads);
  return {head,
          step.query[row] + head * step.head_dim,
          step.table[row],
          step.key_offset + kv_head * step.head_stride,
          step.lengths[row],
          step.places ? step.places[row] : 0,
          step.context[row] + head * step.head_dim,
          step.weights.data ? step.weights[row * step.num_heads + head] : nullptr};
}

// The running softmax: weights are relative to `max`, `sum` is theirs.
struct Running {
  float max = -kInfinity;
  float sum = 0;
};

// The context's columns of one block.
template <class Value>
struct HeadMix {
  const float* weights;  // (n,)
  Value value;
  std::int64_t n;
  float* context;  // (head_dim,)

  template <int kVectors, int kChains>
  ATTNENGINE_INLINE void run(std::int64_t d, std::int64_t count) const {
    const auto from_d = [&](std::int64_t t) { return value(t) + d; };
    mix_columns<kVectors, kChains>(weights, from_d, n, count, context + d);
  }
};

// Caps the scores (n,) of the keys from `begin` on, and adds what their distances give.
void adjust(const ScaledDotStep& step, const Head& head, std::int64_t begin, std::int64_t n,
            float* scores) {
  if (step.score_cap > 0) {
    const Floats cap = broadcast(step.score_cap), inverse = broadcast(1 / step.score_cap);
    map(scores, scores, n, [=](Floats score) { return cap * tanh(score * inverse); });
  }
  const ScoreBias& bias = step.bias;
  const std::int64_t distance = begin - head.place;  // of the first key
  if (bias.slopes)
    for (std::int64_t t = 0; t < n; ++t)
      scores[t] += bias.slopes[head.index] * static_cast<float>(distance + t);
  if (!bias.table) return;
  const float* middle = bias.table + head.index * (2 * bias.reach + 1) + bias.reach;
  for (std::int64_t t = 0; t < n; ++t) {
    const std::int64_t d = distance + t;
    scores[t] += middle[d > bias.reach ? bias.reach : d < -bias.reach ? -bias.reach : d];
  }
}

// Takes n positions from `begin` on into `running` and the context.
void attend_block(const ScaledDotStep& step, const Head& head, std::int64_t begin, std::int64_t n,
                  Running& running) {
  const std::int64_t dim = step.head_dim;
  const auto key = [&](std::int64_t t) { return head.keys[begin + t] + head.kv_offset; };
  float scores[kBlock];
  for (std::int64_t t = 0; t < n; t += kGroup)
    dot_scores(head.query, key, t, n, dim, step.scale, scores);
  adjust(step, head, begin, n, scores);
  if (head.weights)
    for (std::int64_t t = 0; t < n; ++t) head.weights[begin + t] = scores[t];
  const float block_max = max_of(scores, n);
  if (block_max > running.max) {
    const float factor = __builtin_expf(running.max - block_max);
    running.sum *= factor;
    scale(head.context, factor, dim);
    running.max = block_max;
  }
  running.sum += exp_and_sum(scores, running.max, scores, n);
  const auto value = [&](std::int64_t t) { return key(t) + step.value_offset; };
  for_columns(dim, HeadMix<decltype(value)>{scores, value, n, head.context});
}

void attend_head(const ScaledDotStep& step, const Head& head) {
  for (std::int64_t d = 0; d < step.head_dim; ++d) head.context[d] = 0;
  Running running;
  for (std::int64_t begin = 0; begin < head.length; begin += kBlock) {
    const std::int64_t left = head.length - begin;
    attend_block(step, head, begin, left < kBlock ? left : kBlock, running);
  }
  scale(head.context, 1 / running.sum, step.head_dim);
  if (!head.weights) return;
  exp_and_sum(head.weights, running.max, head.weights, head.length);
  scale(head.weights, 1 / running.sum, head.length);
  for (std::int64_t t = head.length; t < step.weights.cols; ++t) head.weights[t] = 0;
}

}  // namespace

void scaled_dot_attention(const ScaledDotStep& step) {
  std::int64_t longest = 0;
  for (std::int64_t row = 0; row < step.query.rows; ++row)
    longest = step.lengths[row] > longest ? step.lengths[row] : longest;
  parallel_for(step.query.rows * step.num_heads, longest * step.head_dim / 2,
               [&step](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i)
                   attend_head(step, head_of(step, i / step.num_heads, i % step.num_heads));
               });
}

}  // namespace attnengine::ATTNENGINE_ISA
