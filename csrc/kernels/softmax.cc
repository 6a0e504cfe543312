#include "kernels/softmax.h"

#include "core/parallel.h"
#include "simd/softmax.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// The best k so far, as a heap. Its root is the worst; among equal values, the higher token.
struct Best {
  float* values;         // (k,)
  std::int32_t* tokens;  // (k,)
  std::int64_t k;

  static bool worse(float a, std::int32_t a_token, float b, std::int32_t b_token) {
    return (a < b) |
           ((a == b) & (a_token > b_token));  // without branches, which no processor could predict
  }

  void move(std::int64_t from, std::int64_t to) {
    values[to] = values[from];
    tokens[to] = tokens[from];
  }

  // Replaces the root of a heap of n by a token. The hole sinks to a leaf, then the new token
  // rises; its place is rarely far from the leaves.
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

  // From now on takes only values above `floor`.
  void clear(float floor) {
    for (std::int64_t i = 0; i < k; ++i) {
      values[i] = floor;
      tokens[i] = -1;
    }
  }

  // Takes the best of x[0..n); token is that of x[0]. Tokens come in ascending order, so that an
  // equal value never displaces an earlier one.
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

// The sum of exp(x) of blocks, in their order: exp(max) * sum.
struct ExpSum {
  float max = -kInfinity;
  double sum = 0;

  void add(float block_max, float block_sum) {
    if (block_max > max) {
      sum *= __builtin_expf(max - block_max);
      max = block_max;
    }
    sum += block_max == max ? block_sum : block_sum * __builtin_expf(block_max - max);
  }

  double log() const { return max + __builtin_log(sum); }
};

// Calls f(x, size, first, block) for the blocks of rows side by side, from number `begin` to `end`.
template <class F>
ATTNENGINE_INLINE void for_blocks(ConstMatrix rows, std::int64_t begin, std::int64_t end, F f) {
  const std::int64_t blocks = logit_blocks(rows.cols);
  for (std::int64_t block = begin; block < end; ++block) {
    const std::int64_t first = block % blocks * kLogitBlock, left = rows.cols - first;
    f(rows[block / blocks] + first, left < kLogitBlock ? left : kLogitBlock, first, block);
  }
}

struct BlockSum {
  float max;  // of the logits
  float sum;  // of exp(logit - max)
};

ATTNENGINE_INLINE BlockSum sum_block(const float* x, std::int64_t size) {
  const float max = max_of(x, size);
  // where every logit is -inf nothing may be subtracted: -inf - -inf is NaN
  const float sum =
      sum_of_exp(x, max == -kInfinity ? 0 : max, size, [](std::int64_t, Floats, std::int64_t) {});
  return {max, sum};
}

// The maxima and sums of the blocks from `begin` to `end`.
void sum_blocks(const TopKStep& step, std::int64_t begin, std::int64_t end) {
  for_blocks(step.logits, begin, end,
             [&](const float* x, std::int64_t size, std::int64_t, std::int64_t block) {
               const BlockSum block_sum = sum_block(x, size);
               step.maxima[block] = block_sum.max;
               step.sums[block] = block_sum.sum;
             });
}

// Finishes one row after its blocks are summed.
void top_k_row(const TopKStep& step, std::int64_t row) {
  const std::int64_t blocks = logit_blocks(step.logits.cols);
  const float* maxima = step.maxima + row * blocks;
  const float* sums = step.sums + row * blocks;
  ExpSum total;
  for (std::int64_t block = 0; block < blocks; ++block) total.add(maxima[block], sums[block]);
  step.log_sums[row] = total.log();

  Best best{step.log_probs + row * step.k, step.tokens + row * step.k, step.k};
  best.clear(-kInfinity);
  best.take(maxima, blocks, 0);
  // k blocks have a logit that is no smaller than this
  best.clear(__builtin_nextafterf(best.values[0], -kInfinity));
  for_blocks(step.logits, row * blocks, (row + 1) * blocks,
             [&](const float* x, std::int64_t size, std::int64_t first, std::int64_t block) {
               if (step.maxima[block] > best.values[0]) best.take(x, size, first);
             });
  best.sort();
  if (step.log_sums[row] == -kInfinity) return;  // and so is every value
  for (std::int64_t i = 0; i < step.k; ++i)
    best.values[i] = static_cast<float>(best.values[i] - step.log_sums[row]);
}

}  // namespace

void softmax(Matrix x) {
  parallel_for(x.rows, x.cols, [x](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) softmax_row(x[row], x.cols);
  });
}

void log_softmax_top_k(const TopKStep& step) {
  constexpr std::int64_t kExp = 4;       // operations of one exp
  constexpr std::int64_t kManyRows = 8;  // enough for every thread: a row is read once, in one go
  const std::int64_t rows = step.logits.rows, blocks = logit_blocks(step.logits.cols);
  const std::int64_t sum_work = kExp * kLogitBlock;
  const std::int64_t best_work = 16 * blocks + step.k * kLogitBlock / 4;
  const bool many = rows >= kManyRows;
  if (!many)
    parallel_for(rows * blocks, sum_work,
                 [&step](std::int64_t begin, std::int64_t end) { sum_blocks(step, begin, end); });
  parallel_for(rows, best_work + many * blocks * sum_work,
               [&step, blocks, many](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) {
                   if (many) sum_blocks(step, row * blocks, (row + 1) * blocks);
                   top_k_row(step, row);
                 }
               });
}

void target_log_probs(ConstMatrix logits, const std::int32_t* targets, double* log_probs) {
  const std::int64_t blocks = logit_blocks(logits.cols);
  parallel_for(logits.rows, logits.cols, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      ExpSum total;
      for_blocks(logits, row * blocks, (row + 1) * blocks,
                 [&](const float* x, std::int64_t size, std::int64_t, std::int64_t) {
                   const BlockSum block = sum_block(x, size);
                   total.add(block.max, block.sum);
                 });
      log_probs[row] = logits[row][targets[row]] - total.log();
    }
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
