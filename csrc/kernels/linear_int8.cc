#include "kernels/linear_int8.h"

#include "core/parallel.h"
#include "kernels/activations.h"
#include "kernels/quantise.h"
#include "kernels/tiles.h"
#include "simd/bytes.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

constexpr std::int64_t kRowBlock = 96;  // rows that share one pass over the weight
constexpr std::int64_t kScales = kPanel * std::int64_t(sizeof(float));  // bytes of a block's
constexpr std::int64_t kQuad = 4 * kPanel;                              // bytes of four inputs
// Instructions of four inputs of a row and a panel.
#if defined(__AVX512VNNI__)
constexpr std::int64_t kDotWork = 1;
#else
constexpr std::int64_t kDotWork = 4 * kVectors;
#endif

// Bytes of one panel.
constexpr std::int64_t panel_bytes(std::int64_t in) {
  return ceil_divide(in, 4) * kQuad + ceil_divide(in, kBlock) * kScales;
}

// The operands of one tile: some rows, some adjacent panels.
struct Tile {
  QuantisedRows x;         // those of the tile
  const std::int8_t* w;    // (panels, blocks)
  std::int64_t in;
  const float* bias;      // (outputs,) or null
  float* y;               // (rows, outputs)
  std::int64_t y_stride;  // floats from row to row
  std::int64_t outputs;   // at most panels * kPanel
  bool add;               // to what is in y
};

template <int kRows, int kPanels>
ATTNENGINE_INLINE void finish(const Tile& tile, const Floats (&totals)[kRows][kPanels][kVectors]) {
  for (int p = 0; p < kPanels; ++p) {
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t first = p * kPanel + v * kLanes, left = tile.outputs - first;
      if (left <= 0) return;
      const std::int64_t count = left < kLanes ? left : kLanes;
      for (int r = 0; r < kRows; ++r) {
        float* y = tile.y + r * tile.y_stride + first;
        Floats total = totals[r][p][v];
        if (tile.bias) total += load_first(tile.bias + first, count);
        if (tile.add) total += load_first(y, count);
        store_first(y, total, count);
      }
    }
  }
}

struct Int8 {
#if defined(__AVX512F__)
  static constexpr int kMaxSums = 12, kMaxRows = 6, kMaxPanels = 8;
#elif defined(__AVX2__)
  static constexpr int kMaxSums = 8, kMaxRows = 4, kMaxPanels = 4;
#else
  static constexpr int kMaxSums = 8, kMaxRows = 2, kMaxPanels = 2;
#endif

  // The sums of a block stay in registers; then they are scaled and added to the totals.
  template <int kRows, int kPanels>
  [[gnu::noinline]] static void multiply(const Tile& tile) {
    Floats totals[kRows][kPanels][kVectors] = {};
    const std::int64_t stride = panel_bytes(tile.in), x_stride = tile.x.blocks * kBlock;
    const std::int8_t* w = tile.w;
    for (std::int64_t b = 0; b < tile.x.blocks; ++b) {
      const std::int8_t* x = tile.x.values + b * kBlock;
      const std::int64_t left = tile.in - b * kBlock;
      const std::int64_t quads = ceil_divide(left < kBlock ? left : kBlock, 4);
      Ints sums[kRows][kPanels][kVectors];
      for (int r = 0; r < kRows; ++r)
        for (int p = 0; p < kPanels; ++p)
          for (int v = 0; v < kVectors; ++v)
            sums[r][p][v] = first_sums(tile.x.sums[r * tile.x.blocks + b]);
      for (std::int64_t k = 0; k < quads; ++k, x += 4, w += kQuad) {
        Bytes weights[kPanels][kVectors];
        for (int p = 0; p < kPanels; ++p)
          for (int v = 0; v < kVectors; ++v)
            weights[p][v] = load_weights(w + p * stride + v * 4 * kLanes);
        for (int r = 0; r < kRows; ++r) {
          const Quad inputs = quad(x + r * x_stride);
          for (int p = 0; p < kPanels; ++p)
            for (int v = 0; v < kVectors; ++v)
              sums[r][p][v] = dot(sums[r][p][v], weights[p][v], inputs);
        }
      }
      for (int p = 0; p < kPanels; ++p)
        for (int v = 0; v < kVectors; ++v) {
          const auto* scales = reinterpret_cast<const float*>(w + p * stride);
          const Floats weight_scales = load(scales + v * kLanes);
          for (int r = 0; r < kRows; ++r) {
            const Floats scale = weight_scales * broadcast(tile.x.scales[r * tile.x.blocks + b]);
            totals[r][p][v] += __builtin_convertvector(sums[r][p][v], Floats) * scale;
          }
        }
      w += kScales;
    }
    finish<kRows, kPanels>(tile, totals);
  }
};

// The rows [row, row + rows) times panels, as many at once as fit.
void multiply_panels(const LinearStep& step, const QuantisedRows& x, Range rows, Range panels) {
  const std::int64_t in = step.x.cols, out = step.y.cols, count = rows.end - rows.begin;
  int at_once = panels_at_once<Int8>(count);
  for (std::int64_t p = panels.begin; p < panels.end; p += at_once) {
    while (at_once > panels.end - p) at_once /= 2;
    const std::int64_t first = p * kPanel, left = out - first;
    Tile tile;
    tile.x = some_rows(x, rows.begin, count);
    tile.w = static_cast<const std::int8_t*>(step.packed) + p * panel_bytes(in);
    tile.in = in;
    tile.bias = step.bias ? step.bias + first : nullptr;
    tile.y = step.y[rows.begin] + first;
    tile.y_stride = out;
    tile.outputs = left < at_once * kPanel ? left : at_once * kPanel;
    tile.add = step.add;
    multiply_any<Int8>(count, at_once, tile);
  }
}

// One block of rows: all of them pass a group of panels while it is in the cache.
void multiply_block(const LinearStep& step, const QuantisedRows& x, Range rows, Range panels) {
  const Pieces tiles(rows.end - rows.begin, Int8::kMaxRows);
  const std::int64_t group = panels_at_once<Int8>((rows.end - rows.begin) / tiles.count);
  for (std::int64_t p = panels.begin; p < panels.end; p += group) {
    const std::int64_t end = p + group < panels.end ? p + group : panels.end;
    for (std::int64_t i = 0; i < tiles.count; ++i)
      multiply_panels(step, x, {rows.begin + tiles.begin(i), rows.begin + tiles.begin(i + 1)},
                      {p, end});
  }
}

// Some panels of the outputs of some rows.
void multiply_part(const LinearStep& step, const QuantisedRows& x, Range rows, Range panels) {
  const std::int64_t first = panels.begin * kPanel, last = panels.end * kPanel;
  const std::int64_t outputs = (last < step.y.cols ? last : step.y.cols) - first;
  const Pieces blocks(rows.end - rows.begin, kRowBlock);
  for (std::int64_t b = 0; b < blocks.count; ++b) {
    const Range block{rows.begin + blocks.begin(b), rows.begin + blocks.begin(b + 1)};
    multiply_block(step, x, block, panels);
    for (std::int64_t row = block.begin; row < block.end; ++row)
      activate_some(step.activation, step.y[row] + first, outputs);
  }
}

}  // namespace

std::int64_t packed_int8_bytes(std::int64_t out, std::int64_t in) {
  return panel_count(out) * panel_bytes(in);
}

void pack_linear_int8(const PackStep& step) {
  const std::int64_t out = step.weight.rows, in = step.weight.cols;
  auto* w = static_cast<std::int8_t*>(step.packed) + step.first * panel_bytes(in);
  for (std::int64_t panel = step.first; panel < step.last; ++panel)
    for (std::int64_t k = 0; k < in; k += kBlock) {
      const std::int64_t count = in - k < kBlock ? in - k : kBlock, quads = ceil_divide(count, 4);
      auto* scales = reinterpret_cast<float*>(w + quads * kQuad);
      for (std::int64_t j = 0; j < kPanel; ++j) {
        const std::int64_t o = panel * kPanel + j;
        std::int8_t values[kBlock] = {};
        scales[j] = o < out ? quantise_block(step.weight[o] + k, count, values) : 0;
        for (std::int64_t i = 0; i < 4 * quads; ++i) w[i / 4 * kQuad + 4 * j + i % 4] = values[i];
      }
      w += quads * kQuad + kScales;
    }
}

void linear_int8(const LinearStep& step) {
  const std::int64_t rows = step.x.rows, in = step.x.cols, panels = panel_count(step.y.cols);
  if (rows == 0 || panels == 0) return;
  const QuantisedRows x = quantised_rows(rows, in, step.scratch);
  quantise_rows(step.x, x);
  if (rows < step.y.cols)  // threads take panels each, or rows if those are more
    parallel_for(panels, (rows * kDotWork + 4) * in / 4,
                 [&step, &x, rows](std::int64_t begin, std::int64_t end) {
                   multiply_part(step, x, {0, rows}, {begin, end});
                 });
  else
    parallel_for(rows, panels * kDotWork * in / 4,
                 [&step, &x, panels](std::int64_t begin, std::int64_t end) {
                   multiply_part(step, x, {begin, end}, {0, panels});
                 });
}

}  // namespace attnengine::ATTNENGINE_ISA
