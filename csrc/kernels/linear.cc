#include "kernels/linear.h"

#include "core/parallel.h"
#include "kernels/activations.h"
#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

constexpr std::int64_t kBlock = 512;       // inputs of one chain of additions
constexpr std::int64_t kRowBlock = 96;     // rows that share one pass over the weight
constexpr std::int64_t kPackRows = 12;     // from here on it pays to pack them
constexpr int kVectors = kPanel / kLanes;  // of a panel
#if defined(__AVX2__)
constexpr int kMaxSums = 12;  // registers for sums; the rest hold the operands
#else
constexpr int kMaxSums = 8;
#endif
constexpr int kMaxRows = kMaxSums / kVectors;

// The operands of one tile: some rows, some adjacent panels, one block of inputs.
struct Tile {
  const float* x;  // (rows, inputs), element (r, k) at x[r * row_stride + k * k_stride]
  std::int64_t row_stride;
  std::int64_t k_stride;
  const float* w;             // (panels, inputs, kPanel)
  std::int64_t panel_stride;  // floats from one panel to the next
  std::int64_t inputs;
  const float* start;         // (rows, outputs) to which the products are added, or null
  std::int64_t start_stride;  // floats from row to row
  float* y;                   // (rows, outputs)
  std::int64_t y_stride;
  std::int64_t outputs;  // at most panels * kPanel
};

template <int kRows, int kPanels>
ATTNENGINE_INLINE void finish(const Tile& tile, const Floats (&sums)[kRows][kPanels][kVectors]) {
  for (int p = 0; p < kPanels; ++p) {
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t first = p * kPanel + v * kLanes, left = tile.outputs - first;
      if (left <= 0) return;
      const std::int64_t count = left < kLanes ? left : kLanes;
      for (int r = 0; r < kRows; ++r) {
        Floats y = sums[r][p][v];
        if (tile.start) y += load_first(tile.start + r * tile.start_stride + first, count);
        store_first(tile.y + r * tile.y_stride + first, y, count);
      }
    }
  }
}

// The sums stay in registers over all inputs, one chain of additions for each output.
template <int kRows, int kPanels>
void multiply(const Tile& tile) {
  Floats sums[kRows][kPanels][kVectors] = {};
  const float* x = tile.x;
  const float* w = tile.w;
  for (std::int64_t k = 0; k < tile.inputs; ++k, x += tile.k_stride, w += kPanel) {
    for (int p = 0; p < kPanels; ++p) {
      Floats weights[kVectors];
      for (int v = 0; v < kVectors; ++v) weights[v] = load(w + p * tile.panel_stride + v * kLanes);
      for (int r = 0; r < kRows; ++r) {
        const Floats input = broadcast(x[r * tile.row_stride]);
        for (int v = 0; v < kVectors; ++v) sums[r][p][v] = fma(input, weights[v], sums[r][p][v]);
      }
    }
  }
  finish<kRows, kPanels>(tile, sums);
}

// The number of panels that a tile of so many rows takes at once: with few rows several, so that
// enough chains are in flight.
constexpr int panels_at_once(std::int64_t rows) {
  int panels = 1;
  while (2 * panels * rows * kVectors <= kMaxSums) panels *= 2;
  return panels;
}

template <int kRows>
void multiply_rows(int panels, const Tile& tile) {
  if constexpr (panels_at_once(kRows) >= 4)
    if (panels == 4) return multiply<kRows, 4>(tile);
  if constexpr (panels_at_once(kRows) >= 2)
    if (panels == 2) return multiply<kRows, 2>(tile);
  multiply<kRows, 1>(tile);
}

void multiply_any(std::int64_t rows, int panels, const Tile& tile) {
  switch (rows) {
    case 1:
      return multiply_rows<1>(panels, tile);
    case 2:
      return multiply_rows<2>(panels, tile);
#if defined(__AVX2__)
    case 3:
      return multiply_rows<3>(panels, tile);
    case 4:
      return multiply_rows<4>(panels, tile);
    case 5:
      return multiply_rows<5>(panels, tile);
    case 6:
      return multiply_rows<6>(panels, tile);
#endif
  }
}

// Rows [begin, end) of the whole, [first, last) of its panels.
struct Part {
  std::int64_t begin, end;
  std::int64_t first, last;
};

// The i-th of `count` parts of n, as even as they can be: the longest come first.
constexpr std::int64_t part_begin(std::int64_t n, std::int64_t count, std::int64_t i) {
  const std::int64_t longer = n % count;
  return n / count * i + (i < longer ? i : longer);
}

constexpr std::int64_t parts(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

// Rows tile by tile as the tiles read them: (tiles, inputs, rows of the tile)
void pack_rows(ConstMatrix x, const Part& part, std::int64_t k0, std::int64_t inputs,
               float* packed) {
  const std::int64_t rows = part.end - part.begin, tiles = parts(rows, kMaxRows);
  for (std::int64_t i = 0; i < tiles; ++i) {
    const std::int64_t m = part_begin(rows, tiles, i), n = part_begin(rows, tiles, i + 1) - m;
    for (std::int64_t r = 0; r < n; ++r) {
      const float* from = x[part.begin + m + r] + k0;
      for (std::int64_t k = 0; k < inputs; ++k) packed[m * inputs + k * n + r] = from[k];
    }
  }
}

// One block of inputs for at most kRowBlock rows: panel by panel, so that a panel stays in the
// first cache while all rows pass.
void multiply_block(const LinearStep& step, const Part& part, std::int64_t k0) {
  const std::int64_t in = step.x.cols, out = step.y.cols;
  const std::int64_t inputs = in - k0 < kBlock ? in - k0 : kBlock;
  const std::int64_t rows = part.end - part.begin, tiles = parts(rows, kMaxRows);
  alignas(64) float packed[kRowBlock * kBlock];
  if (rows >= kPackRows) pack_rows(step.x, part, k0, inputs, packed);

  int panels = panels_at_once(part_begin(rows, tiles, 1));
  for (std::int64_t p = part.first; p < part.last; p += panels) {
    while (panels > part.last - p) panels /= 2;
    for (std::int64_t i = 0; i < tiles; ++i) {
      const std::int64_t m = part_begin(rows, tiles, i), n = part_begin(rows, tiles, i + 1) - m;
      const std::int64_t row = part.begin + m, o = p * kPanel;
      const bool is_packed = rows >= kPackRows;
      const float* bias = step.bias ? step.bias + o : nullptr;
      multiply_any(n, panels,
                   {is_packed ? packed + m * inputs : step.x[row] + k0, is_packed ? 1 : in,
                    is_packed ? n : 1, step.packed + (p * in + k0) * kPanel, in * kPanel, inputs,
                    k0 == 0 ? bias : step.y[row] + o, k0 == 0 ? 0 : out, step.y[row] + o, out,
                    out - o < panels * kPanel ? out - o : panels * kPanel});
    }
  }
}

void multiply_part(const LinearStep& step, const Part& part) {
  const std::int64_t rows = part.end - part.begin, blocks = parts(rows, kRowBlock);
  const std::int64_t first = part.first * kPanel, last = part.last * kPanel;
  const std::int64_t outputs = (last < step.y.cols ? last : step.y.cols) - first;
  for (std::int64_t i = 0; i < blocks; ++i) {
    const Part some{part.begin + part_begin(rows, blocks, i),
                    part.begin + part_begin(rows, blocks, i + 1), part.first, part.last};
    // once even without inputs: then the outputs are the bias
    for (std::int64_t k0 = 0; k0 == 0 || k0 < step.x.cols; k0 += kBlock)
      multiply_block(step, some, k0);
    for (std::int64_t row = some.begin; row < some.end; ++row)
      activate_some(step.activation, step.y[row] + first, outputs);
  }
}

}  // namespace

void pack_linear(ConstMatrix weight, float* packed) {
  const std::int64_t out = weight.rows, in = weight.cols;
  for (std::int64_t panel = 0; panel * kPanel < out; ++panel)
    for (std::int64_t k = 0; k < in; ++k)
      for (std::int64_t j = 0; j < kPanel; ++j) {
        const std::int64_t o = panel * kPanel + j;
        packed[(panel * in + k) * kPanel + j] = o < out ? weight[o][k] : 0;
      }
}

void linear(const LinearStep& step) {
  const std::int64_t rows = step.x.rows, panels = parts(step.y.cols, kPanel);
  const std::int64_t work = step.x.cols * kPanel / 8;  // of one row and panel
  if (rows == 0 || panels == 0) return;
  if (rows < step.y.cols)  // threads take panels each, or rows if those are more
    parallel_for(panels, rows * work, [&step, rows](std::int64_t begin, std::int64_t end) {
      multiply_part(step, {0, rows, begin, end});
    });
  else
    parallel_for(rows, panels * work, [&step, panels](std::int64_t begin, std::int64_t end) {
      multiply_part(step, {begin, end, 0, panels});
    });
}

}  // namespace attnengine::ATTNENGINE_ISA
