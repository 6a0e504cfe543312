#pragma once

#include "simd/map.h"

namespace attnengine::ATTNENGINE_ISA {

// The sums over i of query[i] * key[i] for kGroup keys at once, each one chain of additions.
ATTNENGINE_INLINE Floats dots(const float* query, const float* const (&keys)[kGroup],
                              std::int64_t dim) {
  Floats chains[kGroup] = {};
  for_lanes(dim, [&](std::int64_t i, std::int64_t count) {
    const Floats q = load_first(query + i, count);
    for (std::int64_t j = 0; j < kGroup; ++j)
      chains[j] = fma(q, load_first(keys[j] + i, count), chains[j]);
  });
  return sums(chains);
}

// scores[t] = scale * (query . key(t)) for kGroup keys from `begin` on, or for the rest of n. The
// last group repeats the last key for missing ones, so that every score is computed alike.
template <class Key>
ATTNENGINE_INLINE void dot_scores(const float* query, Key key, std::int64_t begin, std::int64_t n,
                                  std::int64_t dim, float scale, float* scores) {
  const float* keys[kGroup];
  for (std::int64_t j = 0; j < kGroup; ++j) keys[j] = key(begin + j < n ? begin + j : n - 1);
  const Floats products = broadcast(scale) * dots(query, keys, dim);
  store_first(scores + begin, products, n - begin < kGroup ? n - begin : kGroup);
}

// y[d] += sum over t of weights[t] * value(t)[d], for kVectors vectors of d; the last of them has
// `count` lanes. kChains sums run side by side, position t in chain t % kChains.
template <int kVectors, int kChains, class Value>
ATTNENGINE_INLINE void mix_columns(const float* weights, Value value, std::int64_t n,
                                   std::int64_t count, float* y) {
  constexpr int kLast = kVectors - 1;
  const auto lanes = [count](int v) { return v < kLast ? kLanes : count; };
  Floats chains[kChains][kVectors] = {};
  const auto add = [&](int chain, std::int64_t t) {
    const Floats weight = broadcast(weights[t]);
    const float* x = value(t);
    for (int v = 0; v < kVectors; ++v)
      chains[chain][v] = fma(weight, load_first(x + v * kLanes, lanes(v)), chains[chain][v]);
  };
  std::int64_t t = 0;
  for (; t + kChains <= n; t += kChains)
    for (int c = 0; c < kChains; ++c) add(c, t + c);
  for (int c = 0; c < kChains - 1; ++c)
    if (t + c < n) add(c, t + c);

  for (int v = 0; v < kVectors; ++v) {
    Floats total = load_first(y + v * kLanes, lanes(v));
    for (int c = 0; c < kChains; ++c) total += chains[c][v];
    store_first(y + v * kLanes, total, lanes(v));
  }
}

// Calls mix.run<vectors, chains>(d, count) for each group of columns [0, dim); mix_columns then
// adds in an order that depends on n and dim alone.
template <class Mix>
ATTNENGINE_INLINE void for_columns(std::int64_t dim, const Mix& mix) {
  std::int64_t d = 0;
  for (; d + 8 * kLanes <= dim; d += 8 * kLanes) mix.template run<8, 1>(d, kLanes);
  for (; d + 2 * kLanes <= dim; d += 2 * kLanes) mix.template run<2, 4>(d, kLanes);
  for (; d + kLanes <= dim; d += kLanes) mix.template run<1, 4>(d, kLanes);
  if (d < dim) mix.template run<1, 4>(d, dim - d);
}

}  // namespace attnengine::ATTNENGINE_ISA
