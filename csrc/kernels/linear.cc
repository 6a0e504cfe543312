#include "kernels/linear.h"

#include "kernels/tiles.h"
#include "simd/products.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// Without a loop: an array that a loop indexes lies in memory, and the sums of a tile must not.
template <int kCount>
ATTNENGINE_INLINE void copy(const Floats* from, Floats* to) {
  *to = *from;
  if constexpr (kCount > 1) copy<kCount - 1>(from + 1, to + 1);
}

// A panel is (in, kPanel).
struct Float32 {
  static constexpr TileLimits kMost = kFloatTiles;
  static constexpr std::int64_t kInputs = 512;  // of one chain of additions

  static constexpr std::int64_t work(std::int64_t rows, std::int64_t in) { return (rows + 2) * in; }

  const LinearStep& step;

  ATTNENGINE_INLINE const float* panel(std::int64_t p, std::int64_t input) const {
    return static_cast<const float*>(step.packed) + (p * step.x.cols + input) * kPanel;
  }
  ATTNENGINE_INLINE std::int64_t lines(Range inputs) const { return inputs.size(); }

  // The sums stay in registers over all inputs, one chain of additions for each output.
  template <int kRows, int kPanels>
  [[gnu::noinline]] void multiply(const Tile& tile) const {
    Floats sums[kRows][kPanels * kPanelVectors] = {};
    const std::int64_t stride = step.x.cols;
    const float* x = step.x[tile.rows.begin] + tile.inputs.begin;
    const float* w = panel(tile.panels.begin, tile.inputs.begin);
    tile.pass<kPanels>({0, tile.inputs.size()}, [&](std::int64_t k) __attribute__((always_inline)) {
      add_product(
          [=](int r) { return x[r * stride + k]; },
          [=](int v) {
            return load(w + (v / kPanelVectors * stride + k) * kPanel + v % kPanelVectors * kLanes);
          },
          sums);
    });
    Floats finished[kRows][kPanels * kPanelVectors];
    copy<kRows * kPanels * kPanelVectors>(sums[0], finished[0]);
    finish(step, tile, finished);
  }
};

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

void linear(const LinearStep& step) { multiply_all(Float32{step}); }

}  // namespace attnengine::ATTNENGINE_ISA
