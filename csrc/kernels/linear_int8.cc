#include "kernels/linear_int8.h"

#include "kernels/quantise.h"
#include "kernels/tiles.h"
#include "simd/bytes.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// A panel is (in / 4, kPanel, 4) in lines of 64 bytes. The line of a block's scales follows its
// weights.
constexpr std::int64_t kLine = 4 * kPanel;
static_assert(kLine == kPanel * std::int64_t(sizeof(float)));
constexpr std::int64_t kQuads = kScaleBlock / 4;  // of a block

// Instructions of four inputs of a row and a panel.
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__) || defined(__ARM_FEATURE_DOTPROD)
constexpr std::int64_t kDotWork = kPanelVectors;
#else
constexpr std::int64_t kDotWork = 4 * kPanelVectors;
#endif

ATTNENGINE_INLINE std::int64_t panel_bytes(std::int64_t in) {
  return (ceil_divide(in, 4) + ceil_divide(in, kScaleBlock)) * kLine;
}

struct Int8 {
  static constexpr TileLimits kMost = kByteTiles;
  static constexpr std::int64_t kInputs = std::int64_t(1) << 62;  // all of them

  static constexpr std::int64_t work(std::int64_t rows, std::int64_t in) {
    return (rows * kDotWork + 8) * in / 4;
  }

  const LinearStep& step;
  QuantisedRows x;

  ATTNENGINE_INLINE const std::int8_t* panel(std::int64_t p, std::int64_t) const {
    return static_cast<const std::int8_t*>(step.packed) + p * panel_bytes(step.x.cols);
  }
  ATTNENGINE_INLINE std::int64_t lines(Range inputs) const {
    return panel_bytes(inputs.size()) / kLine;
  }

  // The exact sums of a block; its weights lie in some lines of the panels.
  template <int kRows, int kPanels>
  ATTNENGINE_INLINE void add_products(const Tile& tile, const QuantisedRows& rows,
                                      std::int64_t block, Range lines,
                                      Ints (&sums)[kRows][kPanels * kPanelVectors]) const {
    constexpr int kVectors = kPanels * kPanelVectors;
    const std::int8_t* w = panel(tile.panels.begin, 0) + lines.begin * kLine;
    const std::int8_t* inputs = rows.values + block * kScaleBlock;
    for (int r = 0; r < kRows; ++r)
      for (Ints& sum : sums[r]) sum = first_sums(rows.sum(r, block));
    tile.pass<kPanels>(lines, [&](std::int64_t k) __attribute__((always_inline)) {
      Bytes weights[kVectors];
      for (int v = 0; v < kVectors; ++v)
        weights[v] = load_weights(w + k * kLine + v / kPanelVectors * tile.stride +
                                  v % kPanelVectors * 4 * kLanes);
      for (int r = 0; r < kRows; ++r) {
        const Quad four = quad(inputs + r * rows.blocks * kScaleBlock + 4 * k);
        for (int v = 0; v < kVectors; ++v) sums[r][v] = dot(sums[r][v], weights[v], four);
      }
    });
  }

  // The scales of the block lie in a line of their own.
  template <int kRows, int kVectors>
  ATTNENGINE_INLINE void add_scaled(const Tile& tile, const QuantisedRows& rows, std::int64_t block,
                                    std::int64_t line, const Ints (&sums)[kRows][kVectors],
                                    Floats (&totals)[kRows][kVectors]) const {
    const std::int8_t* w = panel(tile.panels.begin, 0) + line * kLine;
    for (int v = 0; v < kVectors; ++v) {
      const Floats scales =
          load(reinterpret_cast<const float*>(w + v / kPanelVectors * tile.stride) +
               v % kPanelVectors * kLanes);
      for (int r = 0; r < kRows; ++r) {
        const Floats scale = scales * broadcast(rows.scales[r * rows.blocks + block]);
        totals[r][v] += __builtin_convertvector(sums[r][v], Floats) * scale;
      }
    }
  }

  // The sums of a block stay in registers; then they are scaled and added to the totals.
  template <int kRows, int kPanels>
  [[gnu::noinline]] void multiply(const Tile& tile) const {
    Floats totals[kRows][kPanels * kPanelVectors] = {};
    const QuantisedRows rows = rows_from(x, tile.rows.begin);
    const std::int64_t quads = ceil_divide(step.x.cols, 4);
    for (std::int64_t block = 0; block < rows.blocks; ++block) {
      const std::int64_t first = block * (kQuads + 1), left = quads - block * kQuads;
      const Range lines{first, first + (left < kQuads ? left : kQuads)};
      Ints sums[kRows][kPanels * kPanelVectors];
      add_products<kRows, kPanels>(tile, rows, block, lines, sums);
      add_scaled(tile, rows, block, lines.end, sums, totals);
    }
    finish(step, tile, totals);
  }
};

}  // namespace

std::int64_t packed_int8_bytes(std::int64_t out, std::int64_t in) {
  return panel_count(out) * panel_bytes(in);
}

void pack_linear_int8(const PackStep& step) {
  const std::int64_t out = step.weight.rows, in = step.weight.cols;
  auto* w = static_cast<std::int8_t*>(step.packed) + step.first * panel_bytes(in);
  for (std::int64_t panel = step.first; panel < step.last; ++panel)
    for (std::int64_t k = 0; k < in; k += kScaleBlock) {
      const std::int64_t count = in - k < kScaleBlock ? in - k : kScaleBlock,
                         quads = ceil_divide(count, 4);
      auto* scales = reinterpret_cast<float*>(w + quads * kLine);
      for (std::int64_t j = 0; j < kPanel; ++j) {
        const std::int64_t o = panel * kPanel + j;
        std::int8_t values[kScaleBlock] = {};
        scales[j] = o < out ? quantise_block(step.weight[o] + k, count, values) : 0;
        for (std::int64_t i = 0; i < 4 * quads; ++i) w[i / 4 * kLine + 4 * j + i % 4] = values[i];
      }
      w += (quads + 1) * kLine;
    }
}

void linear_int8(const LinearStep& step) {
  const QuantisedRows x = quantised_rows(step.x.rows, step.x.cols, step.scratch);
  quantise_rows(step.x, x);
  multiply_all(Int8{step, x});
}

}  // namespace attnengine::ATTNENGINE_ISA
