#include "kernels/linear_int4.h"

#include "kernels/int4_panel.h"
#include "kernels/quantise.h"
#include "kernels/tiles.h"
#include "simd/nibbles.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// Instructions of eight inputs of a row and a panel.
#if defined(__AVX512VNNI__)
constexpr std::int64_t kDotWork = 2;
#else
constexpr std::int64_t kDotWork = 4 * kVectors;
#endif

struct Int4 {
#if defined(__AVX512F__)
  static constexpr int kMaxSums = 12, kMaxRows = 6, kMaxPanels = 6;
#elif defined(__AVX2__)
  static constexpr int kMaxSums = 8, kMaxRows = 4, kMaxPanels = 4;
#elif defined(__aarch64__)
  static constexpr int kMaxSums = 16, kMaxRows = 4, kMaxPanels = 2;
#else
  static constexpr int kMaxSums = 8, kMaxRows = 2, kMaxPanels = 2;
#endif
  static constexpr std::int64_t kInputs = std::int64_t(1) << 62;  // all of them

  static constexpr std::int64_t work(std::int64_t rows, std::int64_t in) {
    return (rows * kDotWork + 4) * in / 8;
  }

  const LinearStep& step;
  QuantisedRows x;

  ATTNENGINE_INLINE const std::uint8_t* panel(std::int64_t p, std::int64_t) const {
    return static_cast<const std::uint8_t*>(step.packed) + p * int4_panel_bytes(step.x.cols);
  }

  // A half of a block: its exact sums times its steps are added to those of the block.
  template <int kRows, int kPanels>
  ATTNENGINE_INLINE void add_half(const QuantisedRows& rows, std::int64_t half,
                                  const std::uint8_t* w, const std::uint8_t* steps,
                                  const std::uint8_t* zeros,
                                  Ints (&sums)[kRows][kPanels][kVectors]) const {
    const std::int64_t stride = int4_panel_bytes(step.x.cols), x_stride = rows.blocks * kBlock;
    const std::int8_t* values = rows.values + half * kHalf;
    Products products[kRows][kPanels][kVectors] = {};
    for (std::int64_t line = 0; line < kHalf / 8; ++line, w += kInt4Line, values += 8)
      for (int p = 0; p < kPanels; ++p)
        for (int v = 0; v < kVectors; ++v) {
          const Ints weights = load_nibbles(w + p * stride + v * 4 * kLanes);
          for (int r = 0; r < kRows; ++r)
            products[r][p][v] = dot(products[r][p][v], weights, values + r * x_stride);
        }
    for (int p = 0; p < kPanels; ++p)
      for (int v = 0; v < kVectors; ++v) {
        const Ints factors = load_narrow(steps + p * stride + v * kLanes);
        const Ints shifts = load_narrow(zeros + p * stride + v * kLanes);
        for (int r = 0; r < kRows; ++r) {
          const Ints inputs = broadcast_int(rows.sums[r * 2 * rows.blocks + half]);
          const Ints sum = sixteen_times(products[r][p][v]) - add_pairs(shifts, inputs);
          sums[r][p][v] += sum * factors;
        }
      }
  }

  // The sums of a block stay in registers; then they are scaled and added to the totals.
  template <int kRows, int kPanels>
  [[gnu::noinline]] void multiply(const Tile& tile) const {
    Floats totals[kRows][kPanels][kVectors] = {};
    const std::int64_t halves = int4_halves(step.x.cols);
    const QuantisedRows rows = some_rows(x, tile.rows.begin, kRows);
    const std::uint8_t* first = panel(tile.panels.begin, 0);
    const std::uint8_t* w = first + kInt4Scales;
    for (std::int64_t b = 0; b < rows.blocks; ++b) {
      for (std::int64_t line = 9 * b; line < 9 * b + 9; ++line) tile.fetch(line);
      const std::int64_t count = halves - 2 * b < 2 ? 1 : 2;
      const std::uint8_t* steps = w + count * kInt4Weights;
      const std::uint8_t* zeros = steps + count * kPanel;
      Ints sums[kRows][kPanels][kVectors] = {};
      for (std::int64_t h = 0; h < count; ++h, w += kInt4Weights)
        add_half<kRows, kPanels>(rows, 2 * b + h, w, steps + h * kPanel, zeros + h * kPanel, sums);
      w += count * 2 * kPanel;
      for (int p = 0; p < kPanels; ++p)
        for (int v = 0; v < kVectors; ++v)
          for (int r = 0; r < kRows; ++r)
            totals[r][p][v] += __builtin_convertvector(sums[r][p][v], Floats) *
                               broadcast(rows.scales[r * rows.blocks + b]);
    }
    for (int p = 0; p < kPanels; ++p)
      for (int v = 0; v < kVectors; ++v) {
        const Floats scales = load(
            reinterpret_cast<const float*>(first + p * int4_panel_bytes(step.x.cols)) + v * kLanes);
        for (int r = 0; r < kRows; ++r) totals[r][p][v] *= scales;
      }
    finish<kRows, kPanels>(step, tile, totals);
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
