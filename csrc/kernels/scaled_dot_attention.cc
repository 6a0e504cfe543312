#include "kernels/scaled_dot_attention.h"

#include <limits>

#include "core/parallel.h"
#include "simd/dot.h"
#include "simd/softmax.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

constexpr std::int64_t kBlock = 64;

// The running softmax: weights are relative to `max`, `sum` is theirs.
struct Running {
  float max = -std::numeric_limits<float>::infinity();
  float sum = 0;
};

// Floats from a table's pointer to the key that a query head attends to.
std::int64_t offset_of(const ScaledDotStep& step, std::int64_t head) {
  return step.key_offset + head / (step.num_heads / step.num_kv_heads) * step.head_stride;
}

// Takes one block of positions into `running` and `context` (head_dim,).
void attend_block(const ScaledDotStep& step, const float* query, const float* const* keys,
                  std::int64_t n, Running& running, float* context) {
  float scores[kBlock];
  for (std::int64_t t = 0; t < n; ++t) scores[t] = step.scale * dot(query, keys[t], step.head_dim);
  const float block_max = max_of(scores, n);
  if (block_max > running.max) {
    const float factor = __builtin_expf(running.max - block_max);
    running.sum *= factor;
    scale(context, factor, step.head_dim);
    running.max = block_max;
  }
  running.sum += exp_and_sum(scores, running.max, scores, n);
  for (std::int64_t t = 0; t < n; ++t)
    add_scaled(scores[t], keys[t] + step.value_offset, context, step.head_dim);
}

// weights (length,): the softmax again, now that its maximum and sum are known
void write_weights(const ScaledDotStep& step, std::int64_t row, std::int64_t head,
                   Running running) {
  const std::int64_t kv_offset = offset_of(step, head);
  const float* query = step.query[row] + head * step.head_dim;
  float* weights = step.weights[row * step.num_heads + head];
  const std::int64_t n = step.lengths[row];
  for (std::int64_t t = 0; t < n; ++t)
    weights[t] = step.scale * dot(query, step.table[row][t] + kv_offset, step.head_dim);
  exp_and_sum(weights, running.max, weights, n);
  scale(weights, 1 / running.sum, n);
  for (std::int64_t t = n; t < step.weights.cols; ++t) weights[t] = 0;
}

void attend_head(const ScaledDotStep& step, std::int64_t row, std::int64_t head) {
  const std::int64_t kv_offset = offset_of(step, head);
  const float* query = step.query[row] + head * step.head_dim;
  float* context = step.context[row] + head * step.head_dim;
  for (std::int64_t d = 0; d < step.head_dim; ++d) context[d] = 0;
  Running running;
  const float* keys[kBlock];
  for (std::int64_t begin = 0; begin < step.lengths[row]; begin += kBlock) {
    const std::int64_t left = step.lengths[row] - begin, n = left < kBlock ? left : kBlock;
    for (std::int64_t t = 0; t < n; ++t) keys[t] = step.table[row][begin + t] + kv_offset;
    attend_block(step, query, keys, n, running, context);
  }
  scale(context, 1 / running.sum, step.head_dim);
  if (step.weights.data) write_weights(step, row, head, running);
}

}  // namespace

void scaled_dot_attention(const ScaledDotStep& step) {
  std::int64_t longest = 0;
  for (std::int64_t row = 0; row < step.query.rows; ++row)
    longest = step.lengths[row] > longest ? step.lengths[row] : longest;
  parallel_for(step.query.rows * step.num_heads, longest * step.head_dim * 2,
               [&step](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i)
                   attend_head(step, i / step.num_heads, i % step.num_heads);
               });
}

}  // namespace attnengine::ATTNENGINE_ISA
