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

// Adjacent rows that attend to the same sentence: they share each key and value while it is in the
// first cache.
struct Group {
  const AttentionStep& step;
  std::int64_t begin, end;  // rows
  Source source;

  // A group of columns of the contexts, for for_columns.
  template <int kVectors, int kChains>
  ATTNENGINE_INLINE void run(std::int64_t d, std::int64_t count) const {
    const float* values = source.values + d;
    const std::int64_t stride = step.context.cols;
    const auto value = [=](std::int64_t t) { return values + t * stride; };
    for (std::int64_t row = begin; row < end; ++row)
      mix_columns<kVectors, kChains>(step.weights[row], value, source.length, count,
                                     step.context[row] + d);
  }
};

Group group_from(const AttentionStep& step, std::int64_t row, std::int64_t end) {
  Group group{step, row, row + 1, step.sources[row]};
  while (group.end < end && step.sources[group.end].keys == group.source.keys &&
         step.sources[group.end].values == group.source.values &&
         step.sources[group.end].length == group.source.length)
    ++group.end;
  return group;
}

// score(query, source, t, scores) writes the scores of the positions from t on, kGroup of them or
// those that are left.
template <class Score>
ATTNENGINE_INLINE void attend_group(const Group& group, const Score& score) {
  const AttentionStep& step = group.step;
  const std::int64_t length = group.source.length;
  for (std::int64_t t = 0; t < length; t += kGroup)
    for (std::int64_t row = group.begin; row < group.end; ++row)
      score(step.query[row], group.source, t, step.weights[row]);
  for (std::int64_t row = group.begin; row < group.end; ++row) {
    softmax_row(step.weights[row], length);
    for (std::int64_t t = length; t < step.weights.cols; ++t) step.weights[row][t] = 0;
    for (std::int64_t d = 0; d < step.context.cols; ++d) step.context[row][d] = 0;
  }
  for_columns(step.context.cols, group);
}

// The part every score shares: score, normalise, mix the values. `work` is that of one score.
template <class Score>
void attend(const AttentionStep& step, std::int64_t work, const Score& score) {
  const std::int64_t row_work = step.weights.cols * (work + step.context.cols / 8);
  parallel_for(step.query.rows, row_work, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end;) {
      const Group group = group_from(step, row, end);
      attend_group(group, score);
      row = group.end;
    }
  });
}

}  // namespace

void additive_attention(const AttentionStep& step, const float* v) {
  const std::int64_t dim = step.query.cols;
  attend(step, dim, [=](const float* query, const Source& source, std::int64_t t, float* scores) {
    const std::int64_t end = t + kGroup < source.length ? t + kGroup : source.length;
    for (; t < end; ++t) scores[t] = additive_score(v, query, source.keys + t * dim, dim);
  });
}

void dot_attention(const AttentionStep& step) {
  const std::int64_t dim = step.query.cols;
  const auto score = [=](const float* query, const Source& source, std::int64_t t, float* scores) {
    const auto key = [&](std::int64_t i) { return source.keys + i * dim; };
    dot_scores(query, key, t, source.length, dim, 1, scores);
  };
  attend(step, dim / 8, score);
}

}  // namespace attnengine::ATTNENGINE_ISA
