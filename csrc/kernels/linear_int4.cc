#include "kernels/linear_int4.h"

#include "kernels/int4_panel.h"
#include "kernels/quantise.h"
#include "kernels/tiles.h"
#include "simd/nibbles.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// Instructions of eight inputs of a row and a panel.
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__) || defined(__ARM_FEATURE_DOTPROD)
constexpr std::int64_t kDotWork = 2 * kPanelVectors;
#else
constexpr std::int64_t kDotWork = 4 * kPanelVectors;
#endif

constexpr std::int64_t kLines = kHalf / 8;  // of a half of a block

// Lines at once: with 16 registers, more would take those of the sums.
#if defined(__AVX2__) && !defined(__AVX512F__)
constexpr int kUnrolled = 1;
#else
constexpr int kUnrolled = kLines;
#endif

struct Int4 {
  static constexpr TileLimits kMost = kNibbleTiles;
  static constexpr std::int64_t kInputs = std::int64_t(1) << 62;  // all of them

  static constexpr std::int64_t work(std::int64_t rows, std::int64_t in) {
    return (rows * kDotWork + 4) * in / 8;
  }

  const LinearStep& step;
  QuantisedRows x;

  ATTNENGINE_INLINE const std::uint8_t* panel(std::int64_t p, std::int64_t) const {
    return static_cast<const std::uint8_t*>(step.packed) + p * int4_panel_bytes(step.x.cols);
  }
  ATTNENGINE_INLINE std::int64_t lines(Range inputs) const {
    return int4_panel_bytes(inputs.size()) / 64;
  }

  // A half of a block: its exact sums times its steps are added to those of the block.
  template <int kRows, int kVectors>
  ATTNENGINE_INLINE void add_half(const Tile& tile, const QuantisedRows& rows, std::int64_t half,
                                  Ints (&sums)[kRows][kVectors]) const {
    const std::uint8_t* w = panel(tile.panels.begin, 0);
    const auto at = [&](std::int64_t offset, int v, std::int64_t lane_bytes) {
      return w + offset + v / kPanelVectors * tile.stride + v % kPanelVectors * lane_bytes * kLanes;
    };
    const Int4Half parts = int4_half(step.x.cols, half);
    const std::int8_t* values = rows.values + half * kHalf;
    Products products[kRows][kVectors] = {};
#pragma GCC unroll kUnrolled
    for (std::int64_t line = 0; line < kLines; ++line)
      for (int v = 0; v < kVectors; ++v) {
        const Ints weights = load_nibbles(at(parts.weights + line * kInt4Line, v, 4));
        for (int r = 0; r < kRows; ++r)
          products[r][v] =
              dot(products[r][v], weights, values + r * rows.blocks * kScaleBlock + line * 8);
      }
    for (int v = 0; v < kVectors; ++v) {
      const Ints factors = load_narrow(at(parts.steps, v, 1));
      const Ints shifts = load_narrow(at(parts.zeros, v, 1));
      for (int r = 0; r < kRows; ++r) {
        const Ints inputs = broadcast_int(rows.sums[r * 2 * rows.blocks + half]);
        sums[r][v] += (sixteen_times(products[r][v]) - add_pairs(shifts, inputs)) * factors;
      }
    }
  }

  // The sums of a block stay in registers; then they are scaled and added to the totals.
  template <int kRows, int kPanels>
  [[gnu::noinline]] void multiply(const Tile& tile) const {
    constexpr int kVectors = kPanels * kPanelVectors;
    Floats totals[kRows][kVectors] = {};
    const std::int64_t halves = int4_halves(step.x.cols);
    const QuantisedRows rows = rows_from(x, tile.rows.begin);
    for (std::int64_t b = 0; b < rows.blocks; ++b) {
      Ints sums[kRows][kVectors] = {};
      for (std::int64_t i = 0; i < 2 && 2 * b + i < halves; ++i) {
        const std::int64_t line = (2 * kLines + 1) * b + kLines * i;
        tile.pass<kPanels>({line, line + kLines + i}, [](std::int64_t) {});  // fetches lines ahead
        add_half(tile, rows, 2 * b + i, sums);
      }
      for (int v = 0; v < kVectors; ++v)
        for (int r = 0; r < kRows; ++r)
          totals[r][v] += __builtin_convertvector(sums[r][v], Floats) *
                          broadcast(rows.scales[r * rows.blocks + b]);
    }
    for (int v = 0; v < kVectors; ++v) {
      const std::uint8_t* scales = panel(tile.panels.begin + v / kPanelVectors, 0);
      const Floats scale =
          load(reinterpret_cast<const float*>(scales) + v % kPanelVectors * kLanes);
      for (int r = 0; r < kRows; ++r) totals[r][v] *= scale;
    }
    finish(step, tile, totals);
  }
};

}  // namespace

std::int64_t packed_int4_bytes(std::int64_t out, std::int64_t in) {
  return panel_count(out) * int4_panel_bytes(in);
}

void linear_int4(const LinearStep& step) {
  const QuantisedRows x = quantised_rows(step.x.rows, step.x.cols, step.scratch);
  quantise_rows(step.x, x);
  multiply_all(Int4{step, x});
}

}  // namespace attnengine::ATTNENGINE_ISA
