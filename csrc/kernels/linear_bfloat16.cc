#include "kernels/linear_bfloat16.h"

#include "kernels/tiles.h"
#include "simd/bfloat16.h"
#include "simd/products.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// A panel is (in / 2, kPanel, 2).
struct Bfloat16 {
  static constexpr TileLimits kMost = kPairTiles;
  static constexpr std::int64_t kInputs = 512;  // as for float32

  static constexpr std::int64_t work(std::int64_t rows, std::int64_t in) { return (rows + 2) * in; }

  const LinearStep& step;

  ATTNENGINE_INLINE const Pair* panel(std::int64_t p, std::int64_t input) const {
    return static_cast<const Pair*>(step.packed) + (p * pairs() + input / 2) * kPanel;
  }
  ATTNENGINE_INLINE std::int64_t lines(Range inputs) const { return ceil_divide(inputs.size(), 2); }
  ATTNENGINE_INLINE std::int64_t pairs() const { return ceil_divide(step.x.cols, 2); }

  // One input of each row times its weights, which are the first or the second of their pairs.
  template <int kWhich, int kRows, int kVectors>
  ATTNENGINE_INLINE void add(const float* x, const Pair* w, Floats (&sums)[kRows][kVectors]) const {
    add_product([=](int r) { return x[r * step.x.cols + kWhich]; },
                [=](int v) {
                  return load_of_pairs<kWhich>(w + v / kPanelVectors * pairs() * kPanel +
                                               v % kPanelVectors * kLanes);
                },
                sums);
  }

  // The sums stay in registers over all inputs, one chain of additions for each output.
  template <int kRows, int kPanels>
  [[gnu::noinline]] void multiply(const Tile& tile) const {
    Floats sums[kRows][kPanels * kPanelVectors] = {};
    const std::int64_t inputs = tile.inputs.size();
    const float* x = step.x[tile.rows.begin] + tile.inputs.begin;
    const Pair* w = panel(tile.panels.begin, tile.inputs.begin);
    tile.pass<kPanels>({0, inputs / 2}, [&](std::int64_t pair) __attribute__((always_inline)) {
      add<0>(x + 2 * pair, w + pair * kPanel, sums);
      add<1>(x + 2 * pair, w + pair * kPanel, sums);
    });
    if (inputs % 2) add<0>(x + inputs - 1, w + inputs / 2 * kPanel, sums);
    finish(step, tile, sums);
  }
};

}  // namespace

std::int64_t packed_bfloat16_bytes(std::int64_t out, std::int64_t in) {
  return panel_count(out) * kPanel * ceil_divide(in, 2) * std::int64_t(sizeof(Pair));
}

void pack_linear_bfloat16(const PackStep& step) {
  const std::int64_t out = step.weight.rows, in = step.weight.cols, pairs = ceil_divide(in, 2);
  auto* packed = static_cast<Pair*>(step.packed) + step.first * pairs * kPanel;
  for (std::int64_t panel = step.first; panel < step.last; ++panel)
    for (std::int64_t k = 0; k < in; k += 2)
      for (std::int64_t j = 0; j < kPanel; ++j) {
        const std::int64_t o = panel * kPanel + j;
        const float* weights = o < out ? step.weight[o] + k : nullptr;
        const Pair first = weights ? bfloat16(weights[0]) : 0;
        const Pair second = weights && k + 1 < in ? bfloat16(weights[1]) : 0;
        *packed++ = first | second << 16;
      }
}

void linear_bfloat16(const LinearStep& step) { multiply_all(Bfloat16{step}); }

}  // namespace attnengine::ATTNENGINE_ISA
