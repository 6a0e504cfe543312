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
  Floats total = {};
  for_lanes(n, [&](std::int64_t i, std::int64_t count) {
    const Floats x = load_first(query + i, count) + load_first(key + i, count);
    total = fma(load_first(v + i, count), tanh(x), total);
  });
  return sum(total);
}

// The part every score shares: score(row), normalise, mix the values. `operations` are those of
// the score of one position.
template <class Score>
void attend(const AttentionStep& step, std::int64_t operations, Score score) {
  const std::int64_t value_dim = step.context.cols;
  const std::int64_t work = step.weights.cols * (operations + value_dim) / 4;
  parallel_for(step.query.rows, work, [&, value_dim](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const Source source = step.sources[row];
      float* weights = step.weights[row];
      float* context = step.context[row];
      score(step.query[row], source, weights);
      softmax_row(weights, source.length);
      for (std::int64_t t = source.length; t < step.weights.cols; ++t) weights[t] = 0;
      for (std::int64_t d = 0; d < value_dim; ++d) context[d] = 0;
      const auto value = [&](std::int64_t t) { return source.values + t * value_dim; };
      mix(weights, value, source.length, value_dim, context);
    }
  });
}

}  // namespace

void additive_attention(const AttentionStep& step, const float* v) {
  const std::int64_t dim = step.query.cols;
  attend(step, dim * 20, [=](const float* query, const Source& source, float* scores) {
    for (std::int64_t t = 0; t < source.length; ++t)
      scores[t] = additive_score(v, query, source.keys + t * dim, dim);
  });
}

void dot_attention(const AttentionStep& step) {
  const std::int64_t dim = step.query.cols;
  attend(step, dim, [=](const float* query, const Source& source, float* scores) {
    const auto key = [&](std::int64_t t) { return source.keys + t * dim; };
    dot_scores(query, key, source.length, dim, 1, scores);
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
