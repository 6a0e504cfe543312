#include "layers/pooling.h"

#include <algorithm>
#include <vector>

#include "kernels/kernels.h"

namespace attnengine {
namespace {

void attention_pool(const Run& run, ConstMatrix states, const float* query, float* pooled) {
  std::vector<float> weights(run.length);
  const Source source{states[run.first], states[run.first], run.length};
  kernels().dot_attention({{query, 1, states.cols},
                           &source,
                           {weights.data(), 1, run.length},
                           {pooled, 1, states.cols}});
}

// pooled[d] = max over the rows of `run` of states[row][d]; a NaN stays
void max_rows(const Run& run, ConstMatrix states, float* pooled) {
  std::copy_n(states[run.first], states.cols, pooled);
  for (std::int64_t row = run.first + 1; row < run.first + run.length; ++row)
    for (std::int64_t d = 0; d < states.cols; ++d)
      if (!(states[row][d] <= pooled[d])) pooled[d] = states[row][d];
}

}  // namespace

void mean_rows(const Run& run, ConstMatrix states, float* pooled) {
  std::fill_n(pooled, states.cols, 0.0f);
  for (std::int64_t row = run.first; row < run.first + run.length; ++row)
    for (std::int64_t d = 0; d < states.cols; ++d) pooled[d] += states[row][d];
  for (std::int64_t d = 0; d < states.cols; ++d) pooled[d] /= static_cast<float>(run.length);
}

void pool(Pooling pooling, const Ragged& ragged, ConstMatrix states, const float* final_hidden,
          const float* query, Matrix pooled) {
  for (const Run& run : ragged.runs()) {
    float* out = pooled[run.index];
    switch (pooling) {
      case Pooling::kMean:
        mean_rows(run, states, out);
        break;
      case Pooling::kMax:
        max_rows(run, states, out);
        break;
      case Pooling::kFirst:
        std::copy_n(states[run.first], states.cols, out);
        break;
      case Pooling::kLast:
        std::copy_n(final_hidden + run.index * states.cols, states.cols, out);
        break;
      case Pooling::kAttention:
        attention_pool(run, states, query, out);
        break;
    }
  }
}

}  // namespace attnengine
