#pragma once

#include "core/parallel.h"
#include "kernels/activations.h"
#include "kernels/steps/linear.h"
#include "simd/vec.h"

// A product of rows and panels, cut into tiles. The sums of a tile fit in the registers. Every
// precision has a Kernel with
//   kMost                             the largest tile
//   kInputs                           inputs of one pass over the panels
//   work(rows, in)                    of a panel, in vector instructions
//   step                              the LinearStep
//   panel(p, input)                   where the weights of a panel lie from an input on
//   lines(inputs)                     of 64 bytes, that a panel has of these inputs
//   multiply<kRows, kPanels>(tile)
// Every output is one chain of additions, whatever the tile. The bits are the same for any number
// of rows and threads.
namespace attnengine::ATTNENGINE_ISA {

constexpr int kPanelVectors = kPanel / kLanes;
constexpr std::int64_t kRowBlock = 96;  // rows that share one pass over the weight
// Lines that a tile prefetches. 16 KB stay in the first cache, and reading them takes longer than
// memory takes to answer.
constexpr std::int64_t kAhead = 256;

// The largest tile: vectors of sums that fit in the registers beside the operands, and limits for
// rows and panels. Sums of integers have totals in float32 beside them. Weights in pairs need one
// register more than floats.
struct TileLimits {
  int sums, rows, panels;
};
#if defined(__AVX512F__)
constexpr TileLimits kFloatTiles{24, 8, 8}, kPairTiles = kFloatTiles;
constexpr TileLimits kByteTiles{12, 6, 8}, kNibbleTiles{12, 6, 6};
#elif defined(__AVX2__)
constexpr TileLimits kFloatTiles{12, 6, 6}, kPairTiles{10, 5, 5};
constexpr TileLimits kByteTiles{8, 4, 4}, kNibbleTiles = kByteTiles;
#elif defined(__aarch64__)
constexpr TileLimits kFloatTiles{24, 6, 3}, kPairTiles = kFloatTiles;
constexpr TileLimits kByteTiles{16, 4, 3}, kNibbleTiles = kByteTiles;
#else
constexpr TileLimits kFloatTiles{8, 2, 2}, kPairTiles = kFloatTiles;
constexpr TileLimits kByteTiles = kFloatTiles, kNibbleTiles = kByteTiles;
#endif

// A range cut evenly into pieces of at most `size`; the longest come first.
struct Pieces {
  ATTNENGINE_INLINE Pieces(Range all, std::int64_t size)
      : all(all), count(ceil_divide(all.size(), size)) {}

  ATTNENGINE_INLINE Range operator[](std::int64_t i) const { return {start(i), start(i + 1)}; }
  ATTNENGINE_INLINE std::int64_t start(std::int64_t i) const {
    const std::int64_t longer = all.size() % count;
    return all.begin + all.size() / count * i + (i < longer ? i : longer);
  }

  Range all;
  std::int64_t count;
};

// Lines that a tile prefetches while it multiplies: its own, further ahead, or those of the next
// tile. Without this the processor would begin to read them when they are needed.
struct Fetch {
  const char* first;   // (panels, lines,)
  std::int64_t lines;  // of a panel
  const char* then;    // the next lines, in other panels; or null
};

// Some rows, some adjacent panels and some inputs.
struct Tile {
  Range rows, panels, inputs;
  std::int64_t stride;  // bytes from panel to panel
  Fetch fetch;

  // Calls f(i) for i in [0, some.size()); f reads line some.begin + i. There are several loops
  // because a test inside one would take registers from the sums.
  template <int kPanels, class F>
  ATTNENGINE_INLINE void pass(Range some, F f) const {
    const std::int64_t n = some.size(), left = fetch.lines - some.begin;
    const std::int64_t middle = left < 0 ? 0 : left < n ? left : n;
    std::int64_t i = 0;
    const auto fetching = [&](std::int64_t end, const char* line) __attribute__((always_inline)) {
      for (; i < end; ++i, line += 64) {
        for (int p = 0; p < kPanels; ++p) __builtin_prefetch(line + p * stride);
        f(i);
      }
    };
    fetching(middle, fetch.first + some.begin * 64);
    if (fetch.then) fetching(n, fetch.then + (middle - left) * 64);
    for (; i < n; ++i) f(i);
  }
};

// Writes the sums of a tile. The first pass adds the bias; later passes add to the outputs.
template <int kRows, int kVectors>
ATTNENGINE_INLINE void finish(const LinearStep& step, const Tile& tile,
                              const Floats (&sums)[kRows][kVectors]) {
  const bool first_pass = tile.inputs.begin == 0, add = step.add || !first_pass;
  for (int v = 0; v < kVectors; ++v) {
    const std::int64_t output = tile.panels.begin * kPanel + v * kLanes;
    const std::int64_t left = step.y.cols - output;
    if (left <= 0) return;
    const std::int64_t count = left < kLanes ? left : kLanes;
    for (int r = 0; r < kRows; ++r) {
      float* y = step.y[tile.rows.begin + r] + output;
      Floats sum = sums[r][v];
      if (step.bias && first_pass) sum += load_first(step.bias + output, count);
      if (add) sum += load_first(y, count);
      store_first(y, sum, count);
    }
  }
}

// Panels that a tile of `rows` rows takes at once. With few rows it takes several, so that enough
// chains of additions are in flight.
template <class Kernel>
ATTNENGINE_INLINE constexpr int panels_at_once(std::int64_t rows) {
  const std::int64_t fit = Kernel::kMost.sums / (rows * kPanelVectors);
  return fit < 1 ? 1 : fit < Kernel::kMost.panels ? static_cast<int>(fit) : Kernel::kMost.panels;
}

template <int kRows, int kPanels, class Kernel>
ATTNENGINE_INLINE void multiply_panels(const Kernel& kernel, const Tile& tile) {
  if constexpr (kPanels > 1) {
    if (tile.panels.size() < kPanels) return multiply_panels<kRows, kPanels - 1>(kernel, tile);
  }
  kernel.template multiply<kRows, kPanels>(tile);
}

template <class Kernel, int kRows = Kernel::kMost.rows>
ATTNENGINE_INLINE void multiply_tile(const Kernel& kernel, const Tile& tile) {
  if constexpr (kRows > 1) {
    if (tile.rows.size() < kRows) return multiply_tile<Kernel, kRows - 1>(kernel, tile);
  }
  multiply_panels<kRows, panels_at_once<Kernel>(kRows)>(kernel, tile);
}

// Each of several tiles prefetches a part of the next group. A single tile prefetches its own
// lines, kAhead before it reads them: a whole group might not stay in the first cache. It does not
// where a line serves few products, since prefetching would take as long as waiting.
template <class Kernel>
ATTNENGINE_INLINE Fetch fetch_ahead(const Kernel& kernel, Range inputs, std::int64_t rows,
                                    Range group, Range tiles, std::int64_t tile) {
  const auto panel = [&](std::int64_t p) {
    return reinterpret_cast<const char*>(kernel.panel(p, inputs.begin));
  };
  const char *own = panel(group.begin), *next = panel(group.end);
  const std::int64_t lines = kernel.lines(inputs), parts = tiles.size();
  if (parts > 1) {
    const std::int64_t part = tile - tiles.begin, begin = lines * part / parts;
    return {next + begin * 64, lines * (part + 1) / parts - begin, nullptr};
  }
  if (rows * inputs.size() < 7 * lines) return {own, 0, nullptr};
  const std::int64_t most = kAhead / group.size(), ahead = most < lines ? most : lines;
  return {own + ahead * 64, lines - ahead, next};
}

// One pass of some tiles: all of them pass a group of panels while it is in the cache.
template <class Kernel>
void multiply_block(const Kernel& kernel, const Pieces& rows, Range tiles, Range panels,
                    Range inputs) {
  const Pieces groups(panels, panels_at_once<Kernel>(rows[tiles.begin].size()));
  const std::int64_t stride = reinterpret_cast<const char*>(kernel.panel(1, 0)) -
                              reinterpret_cast<const char*>(kernel.panel(0, 0));
  for (std::int64_t g = 0; g < groups.count; ++g)
    for (std::int64_t t = tiles.begin; t < tiles.end; ++t)
      multiply_tile(kernel, Tile{rows[t], groups[g], inputs, stride,
                                 fetch_ahead(kernel, inputs, rows[t].size(), groups[g], tiles, t)});
}

// Some panels of the outputs of some rows.
template <class Kernel>
void multiply_part(const Kernel& kernel, Range rows, Range panels) {
  const LinearStep& step = kernel.step;
  const std::int64_t in = step.x.cols, first = panels.begin * kPanel, last = panels.end * kPanel;
  const std::int64_t outputs = (last < step.y.cols ? last : step.y.cols) - first;
  const Pieces tiles(rows, Kernel::kMost.rows);
  const Pieces blocks({0, tiles.count}, kRowBlock / Kernel::kMost.rows);
  for (std::int64_t b = 0; b < blocks.count; ++b) {
    // once even without inputs: then the outputs are the bias
    for (std::int64_t k = 0; k == 0 || k < in; k += Kernel::kInputs)
      multiply_block(kernel, tiles, blocks[b], panels,
                     {k, in - k < Kernel::kInputs ? in : k + Kernel::kInputs});
    for (std::int64_t row = tiles.start(blocks[b].begin); row < tiles.start(blocks[b].end); ++row)
      activate_some(step.activation, step.y[row] + first, outputs);
  }
}

template <class Kernel>
void multiply_all(const Kernel& kernel) {
  const std::int64_t rows = kernel.step.x.rows, panels = panel_count(kernel.step.y.cols);
  const std::int64_t in = kernel.step.x.cols;
  if (rows == 0 || panels == 0) return;
  if (rows < kernel.step.y.cols)  // threads take panels each, or rows if those are more
    parallel_for(panels, Kernel::work(rows, in), [&](std::int64_t begin, std::int64_t end) {
      multiply_part(kernel, {0, rows}, {begin, end});
    });
  else
    parallel_for(rows, panels * Kernel::work(1, in), [&](std::int64_t begin, std::int64_t end) {
      multiply_part(kernel, {begin, end}, {0, panels});
    });
}

}  // namespace attnengine::ATTNENGINE_ISA
