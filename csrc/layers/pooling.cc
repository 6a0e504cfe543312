#include "layers/pooling.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/kernels.h"

namespace attnengine {
namespace {

void attention_pool(const RowRange& range, ConstMatrix states, const float* query, float* pooled) {
  std::vector<float> weights(range.length);
  const Source source{states[range.first], states[range.first], range.length};
  kernels().dot_attention({{query, 1, states.cols},
                           &source,
                           {weights.data(), 1, range.length},
                           {pooled, 1, states.cols}});
}

// pooled[d] = max over the rows of `run` of states[row][d]; a NaN stays
void max_rows(const RowRange& range, ConstMatrix states, float* pooled) {
  std::copy_n(states[range.first], states.cols, pooled);
  for (std::int64_t row = range.first + 1; row < range.first + range.length; ++row)
    for (std::int64_t d = 0; d < states.cols; ++d)
      if (!(states[row][d] <= pooled[d])) pooled[d] = states[row][d];
}

// pooled = sum over the rows of `range` of weight(i) * states[i], divided by `divisor`
template <class Weight>
[[gnu::always_inline]] inline void sum_rows(const RowRange& range, ConstMatrix states,
                                            Weight weight, float divisor, float* pooled) {
  std::fill_n(pooled, states.cols, 0.0f);
  for (std::int64_t i = 0; i < range.length; ++i)
    for (std::int64_t d = 0; d < states.cols; ++d)
      pooled[d] += weight(i) * states[range.first + i][d];
  for (std::int64_t d = 0; d < states.cols; ++d) pooled[d] /= divisor;
}

float one(std::int64_t) { return 1; }
float position(std::int64_t i) { return static_cast<float>(i + 1); }

}  // namespace

void mean_rows(const RowRange& range, ConstMatrix states, float* pooled) {
  sum_rows(range, states, one, static_cast<float>(range.length), pooled);
}

void pool(Pooling pooling, const Ragged& ragged, ConstMatrix states, const float* final_hidden,
          const float* query, Matrix pooled) {
  for (const RowRange& range : ragged.ranges()) {
    float* out = pooled[range.index];
    const auto length = static_cast<float>(range.length);
    switch (pooling) {
      case Pooling::kMean:
        mean_rows(range, states, out);
        break;
      case Pooling::kMax:
        max_rows(range, states, out);
        break;
      case Pooling::kFirst:
        std::copy_n(states[range.first], states.cols, out);
        break;
      case Pooling::kLast:
        std::copy_n(final_hidden + range.index * states.cols, states.cols, out);
        break;
      case Pooling::kAttention:
        attention_pool(range, states, query, out);
        break;
      case Pooling::kWeightedMean:
        sum_rows(range, states, position, length * (length + 1) / 2, out);
        break;
      case Pooling::kMeanSqrt:
        sum_rows(range, states, one, std::sqrt(length), out);
        break;
    }
  }
}

}  // namespace attnengine
