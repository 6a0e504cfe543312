#include "kernels/attention_tile.h"

#include "simd/half.h"
#include "simd/products.h"
#include "simd/scaled_bytes.h"
#include "simd/softmax.h"
#include "simd/tanh.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

constexpr int kPageVectors = kPage / kLanes;

// What fits in the registers besides the operands.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kMaxSums = 24;
#elif defined(__AVX2__)
constexpr int kMaxSums = 12;
#else
constexpr int kMaxSums = 8;
#endif

template <class Number>
constexpr bool kScaled = sizeof(Number) == 1;

// The numbers of a head in a page: keys, then values.
template <class Number>
ATTNENGINE_INLINE const Number* numbers_of(const std::byte* head) {
  return reinterpret_cast<const Number*>(head + (kScaled<Number> ? kScaleBytes : 0));
}

// Some scales of a head: those of the keys, then those of the values.
ATTNENGINE_INLINE Floats load_scales(const std::byte* head, std::int64_t index) {
  return load(reinterpret_cast<const float*>(head) + index);
}

constexpr int vectors_at_once(int rows, int most) {
  int vectors = 1;
  while (2 * vectors <= most && 2 * vectors * rows <= kMaxSums) vectors *= 2;
  return vectors;
}

// Prefetches a cache line of the next block or head. A single query needs it at once; several
// queries take long enough that it may wait in the second cache.
template <int kRows>
ATTNENGINE_INLINE void fetch(const void* line) {
  __builtin_prefetch(line, 0, kRows > 1 ? 2 : 3);
}

// The scores of kCount pages from `page` on, each one chain of additions over head_dim.
template <class Number, int kRows, int kCount>
[[gnu::noinline]] void score_pages(const ScaledDotStep& step, AttentionTile& tile,
                                   std::int64_t page) {
  const float* queries[kRows];
  const Number *keys[kCount], *ahead[kCount];
  for (int r = 0; r < kRows; ++r) queries[r] = tile.queries[r].query;
  for (int p = 0; p < kCount; ++p) {
    keys[p] = numbers_of<Number>(tile.pages[page + p]);
    if constexpr (kScaled<Number>)
      for (int line = 0; line < kScaleBytes; line += 64) fetch<kRows>(tile.ahead[page + p] + line);
    ahead[p] = numbers_of<Number>(tile.ahead[page + p]);
  }
  Floats sums[kRows][kCount * kPageVectors] = {};
  add_products<kRows, kCount * kPageVectors>(
      0, step.kv_heads.head_dim, [&](int r, std::int64_t d) { return queries[r][d]; },
      [&](std::int64_t d, int v) {
        const int p = v / kPageVectors, vector = v % kPageVectors;
        if (vector == 0) fetch<kRows>(ahead[p] + d * kPage);
        return load(keys[p] + d * kPage + vector * kLanes);
      },
      sums);
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kCount * kPageVectors; ++v) {
      Floats scores = broadcast(step.scale) * sums[r][v];
      if constexpr (kScaled<Number>)
        scores *= load_scales(tile.pages[page + v / kPageVectors], v % kPageVectors * kLanes);
      store(tile.scores[r] + page * kPage + v * kLanes, scores);
    }
}

template <class Number, int kRows,
          int kCount = vectors_at_once(kRows, kPages* kPageVectors) / kPageVectors>
void score(const ScaledDotStep& step, AttentionTile& tile, std::int64_t page) {
  for (; page + kCount <= tile.range.end; page += kCount)
    score_pages<Number, kRows, kCount>(step, tile, page);
  if constexpr (kCount > 1) score<Number, kRows, kCount / 2>(step, tile, page);
}

// Caps the scores of a block, and adds the bias of distance or position to the visible keys.
void adjust(const ScaledDotStep& step, const Query& query, std::int64_t block, Range seen,
            float* scores) {
  if (step.score_cap > 0) {
    const Floats cap = broadcast(step.score_cap), inverse = broadcast(1 / step.score_cap);
    const auto capped = [=](Floats score) { return cap * tanh(score * inverse); };
    map(scores + seen.begin, scores + seen.begin, seen.end - seen.begin, capped);
  }
  const ScoreBias& bias = step.bias;
  const std::int64_t distance = block - query.visible->position;  // of the block's first key
  if (bias.slopes)
    for (std::int64_t t = seen.begin; t < seen.end; ++t)
      scores[t] += bias.slopes[query.head] * static_cast<float>(distance + t);
  if (bias.keys)
    for (std::int64_t t = seen.begin; t < seen.end; ++t)
      scores[t] += bias.keys[query.head * bias.positions + block + t];
  if (!bias.table) return;
  const float* middle = bias.table + query.head * (2 * bias.reach + 1) + bias.reach;
  for (std::int64_t t = seen.begin; t < seen.end; ++t)
    scores[t] += middle[most(least(distance + t, bias.reach), -bias.reach)];
}

// Raises the maximum of the running softmax.
ATTNENGINE_INLINE void raise(const ScaledDotStep& step, Query& query, float max) {
  if (!(max > query.max)) return;
  if (query.sum != 0) {
    const float factor = exp_of_negative(broadcast(query.max - max))[0];
    query.sum *= factor;
    scale(query.context, factor, step.kv_heads.head_dim);
  }
  query.max = max;
}

// Turns the scores of some pages of a block into weights, 0 for hidden positions, and adds them to
// the running softmax.
void weigh(const ScaledDotStep& step, Query& query, std::int64_t block, Range pages, Range seen,
           float* scores) {
  adjust(step, query, block, seen, scores);
  if (query.weights)
    for (std::int64_t t = seen.begin; t < seen.end; ++t) query.weights[block + t] = scores[t];
  const std::int64_t begin = pages.begin * kPage, end = pages.end * kPage;
  for (std::int64_t t = begin; t < seen.begin; ++t) scores[t] = -kInfinity;
  for (std::int64_t t = seen.end; t < end; ++t) scores[t] = -kInfinity;
  Floats best = broadcast(-kInfinity);
  for (std::int64_t t = begin; t < end; t += kLanes) best = max(load(scores + t), best);
  raise(step, query, max_lane(best));
  // while every score is -inf nothing may be subtracted: -inf - -inf is NaN
  const Floats base = broadcast(query.max == -kInfinity ? 0 : query.max);
  Floats total = {};
  for (std::int64_t t = begin; t < end; t += kLanes) {
    const Floats weight = exp_of_negative(load(scores + t) - base);
    store(scores + t, weight);
    total += weight;
  }
  query.sum += sum(total);
}

// Weights of integer values: the weight of each position times its scale.
ATTNENGINE_INLINE void scale_weights(const AttentionTile& tile, float* weights) {
  for (std::int64_t page = tile.range.begin; page < tile.range.end; ++page)
    for (std::int64_t t = 0; t < kPage; t += kLanes) {
      float* some = weights + page * kPage + t;
      store(some, load(some) * load_scales(tile.pages[page], kPage + t));
    }
}

// Adds the weighted values of some positions of a block to the contexts of kRows queries from
// `first` on, in kVectors vectors from `d` on.
template <class Number, int kRows, int kVectors>
[[gnu::noinline]] void mix_vectors(const ScaledDotStep& step, const AttentionTile& tile, int first,
                                   Range seen, std::int64_t d) {
  const std::int64_t dim = step.kv_heads.head_dim, stride = value_stride(dim);
  const auto lanes = [&](int v) { return least(dim - d - v * kLanes, kLanes); };
  float* contexts[kRows];
  Floats sums[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    contexts[r] = tile.queries[first + r].context + d;
    for (int v = 0; v < kVectors; ++v) sums[r][v] = load_first(contexts[r] + v * kLanes, lanes(v));
  }
  for (std::int64_t t = seen.begin; t < seen.end;) {
    const std::int64_t page = t / kPage, start = page * kPage, end = least(seen.end, start + kPage);
    const Number* from = numbers_of<Number>(tile.pages[page]) + dim * kPage + d;
    const Number* ahead = numbers_of<Number>(tile.ahead[page]) + dim * kPage + d;
    add_products<kRows, kVectors>(
        t - start, end - start,
        [&](int r, std::int64_t k) { return tile.scores[first + r][start + k]; },
        [&](std::int64_t k, int v) {
          if (v % kPageVectors == 0) fetch<kRows>(ahead + k * stride + v * kLanes);
          return load(from + k * stride + v * kLanes);
        },
        sums);
    t = end;
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) store_first(contexts[r] + v * kLanes, sums[r][v], lanes(v));
}

template <class Number, int kRows, int kVectors = vectors_at_once(kRows, 8)>
void mix(const ScaledDotStep& step, const AttentionTile& tile, int first, Range seen,
         std::int64_t d = 0) {
  for (; d + (kVectors - 1) * kLanes < step.kv_heads.head_dim; d += kVectors * kLanes)
    mix_vectors<Number, kRows, kVectors>(step, tile, first, seen, d);
  if constexpr (kVectors > 1) mix<Number, kRows, kVectors / 2>(step, tile, first, seen, d);
}

// A context is one chain of additions in the order of the positions. The queries take positions
// that all see together; a query never touches a position that it does not see.
template <class Number, int kRows>
void mix_tile(const ScaledDotStep& step, const AttentionTile& tile) {
  Range common = tile.seen[0];
  for (int r = 1; r < kRows; ++r)
    common = {most(common.begin, tile.seen[r].begin), least(common.end, tile.seen[r].end)};
  if (common.empty()) common.end = common.begin;
  const auto mix_row = [&](int r, Range range) {
    if (!range.empty()) mix<Number, 1>(step, tile, r, range);
  };
  for (int r = 0; r < kRows; ++r)
    mix_row(r, {tile.seen[r].begin, least(common.begin, tile.seen[r].end)});
  if (!common.empty()) mix<Number, kRows>(step, tile, 0, common);
  for (int r = 0; r < kRows; ++r)
    mix_row(r, {most(common.end, tile.seen[r].begin), tile.seen[r].end});
}

template <class Number, int kRows = kMaxRows>
void attend_rows(const ScaledDotStep& step, std::int64_t rows, AttentionTile& tile) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return attend_rows<Number, kRows - 1>(step, rows, tile);
  }
  score<Number, kRows>(step, tile, tile.range.begin);
  for (int r = 0; r < kRows; ++r) {
    weigh(step, tile.queries[r], tile.block, tile.range, tile.seen[r], tile.scores[r]);
    if constexpr (kScaled<Number>) scale_weights(tile, tile.scores[r]);
  }
  mix_tile<Number, kRows>(step, tile);
}

}  // namespace

void attend_tile(const ScaledDotStep& step, std::int64_t rows, AttentionTile& tile) {
  if (step.kv_heads.precision == CachePrecision::kFloat16)
    attend_rows<Half>(step, rows, tile);
  else if (step.kv_heads.precision == CachePrecision::kInt8)
    attend_rows<std::int8_t>(step, rows, tile);
  else
    attend_rows<float>(step, rows, tile);
}

}  // namespace attnengine::ATTNENGINE_ISA
