#include "kernels/linear.h"

#include "kernels/tiles.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// A panel is (in, kPanel).
struct Float32 {
#if defined(__AVX512F__)
  static constexpr int kMaxSums = 24, kMaxRows = 8, kMaxPanels = 8;
#elif defined(__AVX2__)
  static constexpr int kMaxSums = 12, kMaxRows = 6, kMaxPanels = 6;
#elif defined(__aarch64__)
  static constexpr int kMaxSums = 24, kMaxRows = 6, kMaxPanels = 3;
#else
  static constexpr int kMaxSums = 8, kMaxRows = 2, kMaxPanels = 2;
#endif
  static constexpr std::int64_t kInputs = 512;  // of one chain of additions

  static constexpr std::int64_t work(std::int64_t rows, std::int64_t in) { return (rows + 2) * in; }

  const LinearStep& step;

  ATTNENGINE_INLINE const float* panel(std::int64_t p, std::int64_t input) const {
    return static_cast<const float*>(step.packed) + (p * step.x.cols + input) * kPanel;
  }

  // The sums stay in registers over all inputs, one chain of additions for each output.
  template <int kRows, int kPanels>
  [[gnu::noinline]] void multiply(const Tile& tile) const {
    Floats sums[kRows][kPanels][kVectors] = {};
    const std::int64_t inputs = tile.inputs.size(), stride = step.x.cols;
    const std::int64_t panel_stride = stride * kPanel;
    const float* x = step.x[tile.rows.begin] + tile.inputs.begin;
    const float* w = panel(tile.panels.begin, tile.inputs.begin);
    for (std::int64_t k = 0; k < inputs; ++k, ++x, w += kPanel) {
      tile.fetch(k);
      Floats weights[kPanels][kVectors];
      for (int p = 0; p < kPanels; ++p)
        for (int v = 0; v < kVectors; ++v) weights[p][v] = load(w + p * panel_stride + v * kLanes);
      for (int r = 0; r < kRows; ++r) {
        const Floats input = broadcast(x[r * stride]);
        for (int p = 0; p < kPanels; ++p)
          for (int v = 0; v < kVectors; ++v)
            sums[r][p][v] = fma(input, weights[p][v], sums[r][p][v]);
      }
    }
    finish<kRows, kPanels>(step, tile, sums);
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
