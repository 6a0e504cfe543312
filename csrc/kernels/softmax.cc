#include "kernels/softmax.h"

#include "core/parallel.h"
#include "simd/softmax.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

constexpr std::int64_t kBlock = 1024;

// The best k so far, a heap whose root is the worst of them: of equal values the higher token.
struct Best {
  float* values;         // (k,)
  std::int32_t* tokens;  // (k,)
  std::int64_t k;

  static bool worse(float a, std::int32_t a_token, float b, std::int32_t b_token) {
    return (a < b) | ((a == b) & (a_token > b_token));  // without branches: nobody can foresee them
  }

  void move(std::int64_t from, std::int64_t to) {
    values[to] = values[from];
    tokens[to] = tokens[from];
  }

  // Puts a token in the place of the root of a heap of n: the hole sinks to a leaf, then the
  // new one rises to its place, which is rarely far from the leaves.
  void replace_root(float value, std::int32_t token, std::int64_t n) {
    std::int64_t hole = 0, child = 1;
    for (; child + 1 < n; child = 2 * hole + 1) {
      child += worse(values[child + 1], tokens[child + 1], values[child], tokens[child]);
      move(child, hole);
      hole = child;
    }
    if (child < n) {
      move(child, hole);
      hole = child;
    }
    for (std::int64_t parent = (hole - 1) / 2;
         hole > 0 && worse(value, token, values[parent], tokens[parent]); parent = (hole - 1) / 2) {
      move(parent, hole);
      hole = parent;
    }
    values[hole] = value;
    tokens[hole] = token;
  }

  void clear() {
    for (std::int64_t i = 0; i < k; ++i) {
      values[i] = -kInfinity;
      tokens[i] = -1;
    }
  }

  // Takes what of x[0..n) is among the best; token is that of x[0]. Tokens come in rising order, so
  // an equal value never displaces an earlier one.
  void take(const float* x, std::int64_t n, std::int64_t token) {
    for_lanes(n, [&](std::int64_t i, std::int64_t count) {
      const Floats some = load_first(x + i, count, -kInfinity);
      std::uint32_t better = which_greater(some, broadcast(values[0]));
      for (; better != 0; better &= better - 1) {
        const std::int64_t j = i + __builtin_ctz(better);
        if (x[j] > values[0]) replace_root(x[j], static_cast<std::int32_t>(token + j), k);
      }
    });
  }

  // Best first.
  void sort() {
    for (std::int64_t n = k - 1; n > 0; --n) {
      const float value = values[n];
      const std::int32_t token = tokens[n];
      move(0, n);
      replace_root(value, token, n);
    }
  }
};

// The log of the sum of exp(x); take(begin, size, max) sees every block on the way.
template <class Take>
ATTNENGINE_INLINE double log_sum(const float* x, std::int64_t n, Take take) {
  float max = -kInfinity;
  double sum = 0;
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t size = n - begin < kBlock ? n - begin : kBlock;
    const float block_max = max_of(x + begin, size);
    if (block_max > max) {
      sum *= __builtin_expf(max - block_max);
      max = block_max;
    }
    // while every logit is -inf nothing may be subtracted: -inf - -inf is no number
    sum += sum_of_exp(x + begin, max == -kInfinity ? 0 : max, size,
                      [](std::int64_t, Floats, std::int64_t) {});
    take(begin, size, block_max);
  }
  return max + __builtin_log(sum);
}

// Takes every logit into `best` and returns the log of the sum of their exp.
double top_k_row(const float* x, std::int64_t n, Best& best) {
  return log_sum(x, n, [&](std::int64_t begin, std::int64_t size, float max) {
    if (max > best.values[0]) best.take(x + begin, size, begin);
  });
}

}  // namespace

void softmax(Matrix x) {
  parallel_for(x.rows, x.cols, [x](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) softmax_row(x[row], x.cols);
  });
}

void log_softmax_top_k(const TopKStep& step) {
  const std::int64_t n = step.logits.cols;
  parallel_for(step.logits.rows, n, [&step, n](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      Best best{step.log_probs + row * step.k, step.tokens + row * step.k, step.k};
      best.clear();
      const double sum = step.log_sums[row] = top_k_row(step.logits[row], n, best);
      best.sort();
      if (sum == -kInfinity) continue;  // and so is every value
      for (std::int64_t i = 0; i < step.k; ++i)
        best.values[i] = static_cast<float>(best.values[i] - sum);
    }
  });
}

void target_log_probs(ConstMatrix logits, const std::int32_t* targets, double* log_probs) {
  parallel_for(logits.rows, logits.cols, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* x = logits[row];
      log_probs[row] =
          x[targets[row]] - log_sum(x, logits.cols, [](std::int64_t, std::int64_t, float) {});
    }
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
