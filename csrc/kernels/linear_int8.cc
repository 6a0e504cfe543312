#include "kernels/linear_int8.h"

#include "kernels/quantise.h"
#include "kernels/tiles.h"
#include "simd/bytes.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

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

// The operands of one block of inputs.
struct Block {
  const std::int8_t* weights;  // (panels, quads, kPanel, 4), then scales (panels, kPanel)
  std::int64_t stride;         // bytes from panel to panel
  std::int64_t number;
  QuantisedRows x;
  std::int64_t quads;  // of inputs
};

template <int kRows, int kPanels>
ATTNENGINE_INLINE void add_products(const Block& block, Ints (&sums)[kRows][kPanels][kVectors]) {
  for (int r = 0; r < kRows; ++r)
    for (int p = 0; p < kPanels; ++p)
      for (int v = 0; v < kVectors; ++v) sums[r][p][v] = first_sums(block.x.sum(r, block.number));
  const std::int8_t* w = block.weights;
  const std::int8_t* inputs = block.x.values + block.number * kBlock;
  for (std::int64_t k = 0; k < block.quads; ++k, inputs += 4, w += kQuad) {
    // the panels that come next: on its own the processor begins too late with them
    if constexpr (kRows > 1)
      for (int p = 0; p < kPanels; ++p) __builtin_prefetch(w + (kPanels + p) * block.stride);
    Bytes weights[kPanels][kVectors];
    for (int p = 0; p < kPanels; ++p)
      for (int v = 0; v < kVectors; ++v)
        weights[p][v] = load_weights(w + p * block.stride + v * 4 * kLanes);
    for (int r = 0; r < kRows; ++r) {
      const Quad four = quad(inputs + r * block.x.blocks * kBlock);
      for (int p = 0; p < kPanels; ++p)
        for (int v = 0; v < kVectors; ++v) sums[r][p][v] = dot(sums[r][p][v], weights[p][v], four);
    }
  }
}

template <int kRows, int kPanels>
ATTNENGINE_INLINE void add_scaled(const Block& block, const Ints (&sums)[kRows][kPanels][kVectors],
                                  Floats (&totals)[kRows][kPanels][kVectors]) {
  for (int p = 0; p < kPanels; ++p) {
    const auto* scales = reinterpret_cast<const float*>(block.weights + p * block.stride);
    for (int v = 0; v < kVectors; ++v)
      for (int r = 0; r < kRows; ++r) {
        const float input_scale = block.x.scales[r * block.x.blocks + block.number];
        const Floats scale = load(scales + v * kLanes) * broadcast(input_scale);
        totals[r][p][v] += __builtin_convertvector(sums[r][p][v], Floats) * scale;
      }
  }
}

struct Int8 {
#if defined(__AVX512F__)
  static constexpr int kMaxSums = 12, kMaxRows = 6, kMaxPanels = 8;
#elif defined(__AVX2__)
  static constexpr int kMaxSums = 8, kMaxRows = 4, kMaxPanels = 4;
#elif defined(__aarch64__)
  static constexpr int kMaxSums = 24, kMaxRows = 6, kMaxPanels = 3;
#else
  static constexpr int kMaxSums = 8, kMaxRows = 2, kMaxPanels = 2;
#endif
  static constexpr std::int64_t kInputs = std::int64_t(1) << 62;  // all of them

  static constexpr std::int64_t work(std::int64_t rows, std::int64_t in) {
    return (rows * kDotWork + 8) * in / 4;
  }

  const LinearStep& step;
  QuantisedRows x;

  ATTNENGINE_INLINE const std::int8_t* panel(std::int64_t p, std::int64_t) const {
    return static_cast<const std::int8_t*>(step.packed) + p * panel_bytes(step.x.cols);
  }

  // The sums of a block stay in registers; then they are scaled and added to the totals.
  template <int kRows, int kPanels>
  [[gnu::noinline]] void multiply(const Tile& tile) const {
    Floats totals[kRows][kPanels][kVectors] = {};
    const std::int64_t in = step.x.cols;
    const QuantisedRows rows = some_rows(x, tile.rows.begin, kRows);
    Block block{panel(tile.panels.begin, 0), panel_bytes(in), 0, rows, 0};
    for (; block.number < rows.blocks; ++block.number) {
      const std::int64_t left = in - block.number * kBlock;
      block.quads = ceil_divide(left < kBlock ? left : kBlock, 4);
      Ints sums[kRows][kPanels][kVectors];
      add_products<kRows, kPanels>(block, sums);
      block.weights += block.quads * kQuad;
      add_scaled<kRows, kPanels>(block, sums, totals);
      block.weights += kScales;
    }
    finish<kRows, kPanels>(step, tile, totals);
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
  const QuantisedRows x = quantised_rows(step.x.rows, step.x.cols, step.scratch);
  quantise_rows(step.x, x);
  multiply_all(Int8{step, x});
}

}  // namespace attnengine::ATTNENGINE_ISA
