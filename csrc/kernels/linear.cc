#include "kernels/linear.h"

#include "core/parallel.h"
#include "kernels/activations.h"
#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

constexpr std::int64_t kBlock = 512;       // inputs of one chain of additions
constexpr std::int64_t kRowBlock = 96;     // rows that share one pass over the weight
constexpr int kVectors = kPanel / kLanes;  // of a panel

// What fits in the registers: sums of rows x panels, besides the operands.
#if defined(__AVX512F__)
constexpr int kMaxSums = 24, kMaxRows = 6, kMaxPanels = 8;
#elif defined(__AVX2__)
constexpr int kMaxSums = 12, kMaxRows = 6, kMaxPanels = 4;
#else
constexpr int kMaxSums = 8, kMaxRows = 2, kMaxPanels = 2;
#endif

// The operands of one tile: some rows, some adjacent panels, one block of inputs.
struct Tile {
  const float* x;             // (rows, inputs)
  std::int64_t x_stride;      // floats from row to row
  const float* w;             // (panels, inputs, kPanel)
  std::int64_t panel_stride;  // floats from one panel to the next
  std::int64_t inputs;
  const float* bias;  // (outputs,) or null
  float* y;           // (rows, outputs)
  std::int64_t y_stride;
  std::int64_t outputs;  // at most panels * kPanel
  bool add;              // to what is in y
};

template <int kRows, int kPanels>
ATTNENGINE_INLINE void finish(const Tile& tile, const Floats (&sums)[kRows][kPanels][kVectors]) {
  for (int p = 0; p < kPanels; ++p) {
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t first = p * kPanel + v * kLanes, left = tile.outputs - first;
      if (left <= 0) return;
      const std::int64_t count = left < kLanes ? left : kLanes;
      for (int r = 0; r < kRows; ++r) {
        float* y = tile.y + r * tile.y_stride + first;
        Floats sum = sums[r][p][v];
        if (tile.bias) sum += load_first(tile.bias + first, count);
        if (tile.add) sum += load_first(y, count);
        store_first(y, sum, count);
      }
    }
  }
}

// The sums stay in registers over all inputs, one chain of additions for each output.
template <int kRows, int kPanels>
[[gnu::noinline]] void multiply(const Tile& tile) {
  Floats sums[kRows][kPanels][kVectors] = {};
  const float* x = tile.x;
  const float* w = tile.w;
  for (std::int64_t k = 0; k < tile.inputs; ++k, ++x, w += kPanel) {
    for (int p = 0; p < kPanels; ++p) {
      Floats weights[kVectors];
      for (int v = 0; v < kVectors; ++v) weights[v] = load(w + p * tile.panel_stride + v * kLanes);
      for (int r = 0; r < kRows; ++r) {
        const Floats input = broadcast(x[r * tile.x_stride]);
        for (int v = 0; v < kVectors; ++v) sums[r][p][v] = fma(input, weights[v], sums[r][p][v]);
      }
    }
  }
  finish<kRows, kPanels>(tile, sums);
}

// How many panels a tile of so many rows takes at once: with few rows several, so that enough
// chains are in flight.
constexpr int panels_at_once(std::int64_t rows) {
  int panels = 1;
  while (2 * panels <= kMaxPanels && 2 * panels * rows * kVectors <= kMaxSums) panels *= 2;
  return panels;
}

template <int kRows, int kPanels = panels_at_once(kRows)>
void multiply_rows(int panels, const Tile& tile) {
  if constexpr (kPanels > 1) {
    if (panels < kPanels) return multiply_rows<kRows, kPanels / 2>(panels, tile);
  }
  multiply<kRows, kPanels>(tile);
}

template <int kRows = kMaxRows>
void multiply_any(std::int64_t rows, int panels, const Tile& tile) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return multiply_any<kRows - 1>(rows, panels, tile);
  }
  multiply_rows<kRows>(panels, tile);
}

constexpr std::int64_t ceil_divide(std::int64_t n, std::int64_t size) {
  return (n + size - 1) / size;
}

// A range cut into pieces of at most `size`, as even as they can be: the longest come first.
struct Pieces {
  Pieces(std::int64_t n, std::int64_t size) : n(n), count(ceil_divide(n, size)) {}

  ATTNENGINE_INLINE std::int64_t begin(std::int64_t i) const {
    const std::int64_t longer = n % count;
    return n / count * i + (i < longer ? i : longer);
  }

  std::int64_t n;
  std::int64_t count;
};

struct Range {
  std::int64_t begin, end;
};

// The rows [row, row + rows) times panels, as many at once as fit.
void multiply_panels(const LinearStep& step, std::int64_t row, std::int64_t rows, Range panels,
                     Range inputs) {
  const std::int64_t in = step.x.cols, out = step.y.cols;
  int count = panels_at_once(rows);
  for (std::int64_t p = panels.begin; p < panels.end; p += count) {
    while (count > panels.end - p) count /= 2;
    const std::int64_t first = p * kPanel, left = out - first;
    const bool more = inputs.begin > 0;  // the products of the inputs before are there already
    Tile tile;
    tile.x = step.x[row] + inputs.begin;
    tile.x_stride = in;
    tile.w = static_cast<const float*>(step.packed) + (p * in + inputs.begin) * kPanel;
    tile.panel_stride = in * kPanel;
    tile.inputs = inputs.end - inputs.begin;
    tile.bias = step.bias && !more ? step.bias + first : nullptr;
    tile.y = step.y[row] + first;
    tile.y_stride = out;
    tile.outputs = left < count * kPanel ? left : count * kPanel;
    tile.add = more || step.add;
    multiply_any(rows, count, tile);
  }
}

// One block of inputs for some tiles of rows: all rows pass a group of panels while it is in the
// first cache.
void multiply_block(const LinearStep& step, const Pieces& tiles, Range block, Range panels,
                    Range inputs) {
  const std::int64_t fewest = tiles.begin(block.end) - tiles.begin(block.end - 1);
  const std::int64_t group = panels_at_once(fewest);
  for (std::int64_t p = panels.begin; p < panels.end; p += group) {
    const std::int64_t end = p + group < panels.end ? p + group : panels.end;
    for (std::int64_t i = block.begin; i < block.end; ++i)
      multiply_panels(step, tiles.begin(i), tiles.begin(i + 1) - tiles.begin(i), {p, end}, inputs);
  }
}

// Some panels of the outputs of some rows.
void multiply_part(const LinearStep& step, Range rows, Range panels) {
  const LinearStep part{{step.x[rows.begin], rows.end - rows.begin, step.x.cols},
                        step.packed,
                        step.bias,
                        step.activation,
                        {step.y[rows.begin], rows.end - rows.begin, step.y.cols},
                        step.add};
  const std::int64_t in = step.x.cols, first = panels.begin * kPanel, last = panels.end * kPanel;
  const std::int64_t outputs = (last < step.y.cols ? last : step.y.cols) - first;
  const Pieces tiles(part.x.rows, kMaxRows), blocks(tiles.count, kRowBlock / kMaxRows);
  for (std::int64_t b = 0; b < blocks.count; ++b) {
    const Range block{blocks.begin(b), blocks.begin(b + 1)};
    // once even without inputs: then the outputs are the bias
    for (std::int64_t k = 0; k == 0 || k < in; k += kBlock)
      multiply_block(part, tiles, block, panels, {k, in - k < kBlock ? in : k + kBlock});
    for (std::int64_t row = tiles.begin(block.begin); row < tiles.begin(block.end); ++row)
      activate_some(step.activation, part.y[row] + first, outputs);
  }
}

}  // namespace

std::int64_t packed_linear_bytes(std::int64_t out, std::int64_t in) {
  return panel_count(out) * kPanel * in * std::int64_t(sizeof(float));
}

void pack_linear(const PackStep& step) {
  const std::int64_t out = step.weight.rows, in = step.weight.cols;
  float* packed = static_cast<float*>(step.packed);
  for (std::int64_t panel = step.first; panel < step.last; ++panel)
    for (std::int64_t k = 0; k < in; ++k)
      for (std::int64_t j = 0; j < kPanel; ++j) {
        const std::int64_t o = panel * kPanel + j;
        packed[(panel * in + k) * kPanel + j] = o < out ? step.weight[o][k] : 0;
      }
}

void linear(const LinearStep& step) {
  const std::int64_t rows = step.x.rows, in = step.x.cols,
                     panels = ceil_divide(step.y.cols, kPanel);
  if (rows == 0 || panels == 0) return;
  if (rows < step.y.cols)  // threads take panels each, or rows if those are more
    parallel_for(panels, (rows + 2) * in, [&step, rows](std::int64_t begin, std::int64_t end) {
      multiply_part(step, {0, rows}, {begin, end});
    });
  else
    parallel_for(rows, panels * in, [&step, panels](std::int64_t begin, std::int64_t end) {
      multiply_part(step, {begin, end}, {0, panels});
    });
}

}  // namespace attnengine::ATTNENGINE_ISA
