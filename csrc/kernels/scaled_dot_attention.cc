#include "kernels/scaled_dot_attention.h"

#include "core/parallel.h"
#include "kernels/attention_tile.h"
#include "simd/softmax.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

constexpr std::int64_t kBand = 48;  // queries that pass a block while it is in the first caches

// Bytes from a page to a key head, and to the head that follows it.
struct HeadOffsets {
  std::int64_t here, next;
};

HeadOffsets offsets_of(const ScaledDotStep& step, std::int64_t kv_head) {
  const std::int64_t size = step.kv_heads.head_bytes();
  const std::int64_t here = step.page_offset + kv_head * size;
  return {here, kv_head + 1 < step.kv_heads.count ? here + size : here};
}

// Up to kMaxRows queries that share the pages of a block.
void attend_block(const ScaledDotStep& step, HeadOffsets head, Query* queries, std::int64_t rows,
                  std::int64_t block) {
  AttentionTile tile;
  tile.queries = queries;
  tile.block = block;
  Range seen = queries[0].seen(block);
  for (std::int64_t r = 0; r < rows; ++r) {
    tile.seen[r] = queries[r].seen(block);
    seen = hull(seen, tile.seen[r]);
  }
  tile.range = pages_with(seen);
  const std::byte* const* pages = queries[0].visible->pages + block / kPage;
  const bool more = queries[0].visible->end >= block + 2 * kBlock;
  for (std::int64_t page = tile.range.begin; page < tile.range.end; ++page) {
    tile.pages[page] = pages[page] + head.here;
    tile.ahead[page] = more ? pages[page + kPages] + head.here : pages[page] + head.next;
  }
  attend_tile(step, rows, tile);
}

// Whether two queries see the same pages of a block.
ATTNENGINE_INLINE bool same_pages(const Query& a, const Query& b, std::int64_t block) {
  const std::byte* const* pages = a.visible->pages + block / kPage;
  const std::byte* const* others = b.visible->pages + block / kPage;
  if (pages == others) return true;
  const Range seen = pages_with(a.seen(block)), other = pages_with(b.seen(block));
  bool same = seen.begin == other.begin && seen.end == other.end;
  for (std::int64_t page = seen.begin; same && page < seen.end; ++page)
    same = pages[page] == others[page];
  return same;
}

// How many queries from the first on see something of a block, and the same pages.
ATTNENGINE_INLINE std::int64_t sharing(const Query* queries, std::int64_t n, std::int64_t block) {
  std::int64_t count = 0;
  while (count < n && !queries[count].seen(block).empty() &&
         same_pages(queries[0], queries[count], block))
    ++count;
  return count;
}

Query query_of(const ScaledDotStep& step, std::int64_t row, std::int64_t head) {
  Query query;
  query.query = step.query[row] + head * step.kv_heads.head_dim;
  query.context = step.context[row] + head * step.kv_heads.head_dim;
  query.weights = step.weights.data ? step.weights[row * step.num_heads + head] : nullptr;
  query.visible = step.visible + row;
  query.head = head;
  for (std::int64_t d = 0; d < step.kv_heads.head_dim; ++d) query.context[d] = 0;
  return query;
}

void finish(const ScaledDotStep& step, const Query& query) {
  const float inverse = 1 / query.sum;
  scale(query.context, inverse, step.kv_heads.head_dim);
  if (!query.weights) return;
  const std::int64_t begin = query.visible->begin, end = query.visible->end;
  float* seen = query.weights + begin;
  exp_and_sum(seen, query.max, seen, end - begin);
  scale(seen, inverse, end - begin);
  for (std::int64_t t = 0; t < begin; ++t) query.weights[t] = 0;
  for (std::int64_t t = end; t < step.weights.cols; ++t) query.weights[t] = 0;
}

// A family of adjacent rows: a prompt, a sentence, the beams of a text, or one row. Their pasts
// begin with the same page; they may end in different pages.
Range family_of(const ScaledDotStep& step, std::int64_t begin) {
  Range family{begin, begin + 1};
  while (family.end < step.query.rows &&
         step.visible[family.end].pages[0] == step.visible[begin].pages[0])
    ++family.end;
  return family;
}

// Some queries of a key head, counted through its heads of every row of a family. They take the
// keys block by block; queries that share the pages of a block take it together.
void attend_band(const ScaledDotStep& step, std::int64_t first_row, std::int64_t kv_head,
                 Range queries) {
  const std::int64_t group = step.num_heads / step.kv_heads.count;
  const std::int64_t n = queries.end - queries.begin;
  const HeadOffsets head = offsets_of(step, kv_head);
  Query band[kBand];
  Range seen{step.visible[first_row + queries.begin / group].begin, 0};
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t query = queries.begin + i;
    band[i] = query_of(step, first_row + query / group, kv_head * group + query % group);
    seen = hull(seen, {band[i].visible->begin, band[i].visible->end});
  }
  for (std::int64_t block = seen.begin / kBlock * kBlock; block < seen.end; block += kBlock)
    for (std::int64_t i = 0; i < n;) {
      const std::int64_t rows = sharing(band + i, n - i, block);
      const std::int64_t tiles = ceil_divide(rows, kMaxRows);
      for (std::int64_t t = 0; t < tiles; ++t) {
        const std::int64_t first = rows * t / tiles, end = rows * (t + 1) / tiles;
        attend_block(step, head, band + i + first, end - first, block);
      }
      i += most(rows, 1);
    }
  for (std::int64_t i = 0; i < n; ++i) finish(step, band[i]);
}

// Some of a family's queries, counted through its key heads. The heads of a page lie side by side,
// so that a single row reads its past in order.
void attend_family(const ScaledDotStep& step, Range family, Range queries) {
  const std::int64_t of_head = (family.end - family.begin) * (step.num_heads / step.kv_heads.count);
  for (std::int64_t i = queries.begin; i < queries.end;) {
    const std::int64_t first = i % of_head;
    const std::int64_t count = least(least(queries.end - i, of_head - first), kBand);
    attend_band(step, family.begin, i / of_head, {first, first + count});
    i += count;
  }
}

}  // namespace

void scaled_dot_attention(const ScaledDotStep& step) {
  const std::int64_t rows = step.query.rows, heads = step.num_heads;
  if (rows == 0) return;
  std::int64_t seen = 0;
  for (std::int64_t row = 0; row < rows; ++row)
    seen += step.visible[row].end - step.visible[row].begin;
  // twice its instructions: between the layers of a model pages leave the first caches
  parallel_for(rows * heads, seen / rows * step.kv_heads.head_dim,
               [&](std::int64_t begin, std::int64_t end) {
                 for (Range family{0, 0}; family.end * heads < end;) {
                   family = family_of(step, family.end);
                   const std::int64_t first = family.begin * heads;
                   attend_family(step, family,
                                 {most(begin - first, 0), least(end, family.end * heads) - first});
                 }
               });
}

}  // namespace attnengine::ATTNENGINE_ISA
