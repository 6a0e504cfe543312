#include "kernels/attention.h"

#include "core/parallel.h"
#include "simd/dot.h"
#include "simd/softmax.h"
#include "simd/tanh.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// sum over i of v[i] * tanh(query[i] + key[i])
ATTNENGINE_INLINE float additive_score(const float* v, const float* query, const float* key,
                                       std::int64_t n) {
  Floats sums = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    sums = fma(load(v + i), tanh(load(query + i) + load(key + i)), sums);
  if (i < n) {
    const Floats x = load_first(query + i, n - i, 0) + load_first(key + i, n - i, 0);
    sums = fma(load_first(v + i, n - i, 0), tanh(x), sums);
  }
  return sum(sums);
}

// The part every score shares: score, normalise, mix the values.
template <class Score>
void attend(const AttentionStep& step, std::int64_t operations, Score score) {
  const std::int64_t key_dim = step.query.cols, value_dim = step.context.cols;
  const std::int64_t work = step.weights.cols * (key_dim * operations + value_dim);
  parallel_for(step.query.rows, work,
               [&, key_dim, value_dim](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) {
                   const Source& source = step.sources[row];
                   float* weights = step.weights[row];
                   for (std::int64_t t = 0; t < source.length; ++t)
                     weights[t] = score(step.query[row], source.keys + t * key_dim, key_dim);
                   softmax_row(weights, source.length);
                   for (std::int64_t t = source.length; t < step.weights.cols; ++t) weights[t] = 0;

                   float* context = step.context[row];
                   for (std::int64_t d = 0; d < value_dim; ++d) context[d] = 0;
                   for (std::int64_t t = 0; t < source.length; ++t)
                     add_scaled(weights[t], source.values + t * value_dim, context, value_dim);
                 }
               });
}

}  // namespace

void additive_attention(const AttentionStep& step, const float* v) {
  attend(step, 20, [v](const float* query, const float* key, std::int64_t n) {
    return additive_score(v, query, key, n);
  });
}

void dot_attention(const AttentionStep& step) {
  attend(step, 1,
         [](const float* query, const float* key, std::int64_t n) { return dot(query, key, n); });
}

}  // namespace attnengine::ATTNENGINE_ISA
