#include "kernels/softmax.h"

#include <limits>

#include "core/parallel.h"
#include "simd/softmax.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

constexpr std::int64_t kBlock = 1024;

// The best k so far, best first; a later equal value never displaces an earlier one.
struct Best {
  float* values;         // (k,)
  std::int32_t* tokens;  // (k,)
  std::int64_t k;

  float worst() const { return values[k - 1]; }

  void insert(float value, std::int32_t token) {
    std::int64_t j = k - 1;
    for (; j > 0 && values[j - 1] < value; --j) {
      values[j] = values[j - 1];
      tokens[j] = tokens[j - 1];
    }
    values[j] = value;
    tokens[j] = token;
  }
};

void row_top_k(const float* x, std::int64_t n, Best best, float* log_sum) {
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  for (std::int64_t i = 0; i < best.k; ++i) {
    best.values[i] = kLowest;
    best.tokens[i] = -1;
  }
  float max = kLowest, sum = 0;
  float scratch[kBlock];
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t size = n - begin < kBlock ? n - begin : kBlock;
    const float block_max = max_of(x + begin, size);
    if (block_max > max) {
      sum *= __builtin_expf(max - block_max);
      max = block_max;
    }
    // while every logit is -inf nothing may be subtracted: -inf - -inf is no number
    sum += exp_and_sum(x + begin, max == kLowest ? 0 : max, scratch, size);
    if (!(block_max > best.worst())) continue;
    for (std::int64_t i = begin; i < begin + size; ++i)
      if (x[i] > best.worst()) best.insert(x[i], static_cast<std::int32_t>(i));
  }
  *log_sum = max + __builtin_logf(sum);
}

}  // namespace

void softmax(Matrix x) {
  parallel_for(x.rows, x.cols * 16, [x](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) softmax_row(x[row], x.cols);
  });
}

void log_softmax_top_k(const TopKStep& step) {
  const std::int64_t n = step.logits.cols;
  parallel_for(step.logits.rows, n * 16, [&step, n](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const Best best{step.log_probs + row * step.k, step.tokens + row * step.k, step.k};
      row_top_k(step.logits[row], n, best, step.log_sums + row);
      if (step.log_sums[row] == -__builtin_inff()) continue;  // and so is every value
      for (std::int64_t i = 0; i < step.k; ++i) best.values[i] -= step.log_sums[row];
    }
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
