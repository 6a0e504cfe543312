#include "kernels/linear_bfloat16.h"

#include "kernels/tiles.h"
#include "simd/bfloat16.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// Instructions of two inputs of a row and a panel.
#if defined(__AVX512BF16__)
constexpr std::int64_t kPairWork = kPanelVectors;
#else
constexpr std::int64_t kPairWork = 2 * kPanelVectors;
#endif

// Rows, rounded, as they lie in scratch memory.
struct RoundedRows {
  const InputPair* pairs;  // (rows, stride), zeros after the last input
  std::int64_t stride;
};

std::int64_t rounded_stride(std::int64_t in) { return ceil_divide(in, kLanes) * kLanes / 2; }

RoundedRows round_rows(ConstMatrix x, void* scratch) {
  auto* const pairs = static_cast<InputPair*>(scratch);
  const std::int64_t stride = rounded_stride(x.cols);
  parallel_for(x.rows, 8 * x.cols / kLanes, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      for (std::int64_t k = 0; k < x.cols; k += kLanes)
        store_pairs(pairs + row * stride + k / 2,
                    load_first(x[row] + k, x.cols - k < kLanes ? x.cols - k : kLanes));
  });
  return {pairs, stride};
}

// A panel is (in / 2, kPanel, 2).
struct Bfloat16 {
  static constexpr TileLimits kMost = kPairTiles;
  static constexpr std::int64_t kInputs = 512;  // as for float32

  static constexpr std::int64_t work(std::int64_t rows, std::int64_t in) {
    return (rows * kPairWork + 2) * in / 2;
  }

  const LinearStep& step;
  RoundedRows x;

  ATTNENGINE_INLINE const Pair* panel(std::int64_t p, std::int64_t input) const {
    return static_cast<const Pair*>(step.packed) + (p * pairs() + input / 2) * kPanel;
  }
  ATTNENGINE_INLINE std::int64_t lines(Range inputs) const { return ceil_divide(inputs.size(), 2); }
  ATTNENGINE_INLINE std::int64_t pairs() const { return ceil_divide(step.x.cols, 2); }

  // The sums stay in registers over all inputs, one chain of additions for each output.
  template <int kRows, int kPanels>
  [[gnu::noinline]] void multiply(const Tile& tile) const {
    Floats sums[kRows][kPanels * kPanelVectors] = {};
    const InputPair* inputs = x.pairs + tile.rows.begin * x.stride + tile.inputs.begin / 2;
    const Pair* w = panel(tile.panels.begin, tile.inputs.begin);
    tile.pass<kPanels>({0, lines(tile.inputs)}, [&](std::int64_t k) __attribute__((always_inline)) {
      add_pairs([=](int r) { return inputs + r * x.stride + k; },
                [=](int v) {
                  return w + (v / kPanelVectors * pairs() + k) * kPanel +
                         v % kPanelVectors * kLanes;
                },
                sums);
    });
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

std::int64_t rounded_bytes(std::int64_t rows, std::int64_t in) {
  return rows * rounded_stride(in) * std::int64_t(sizeof(InputPair));
}

void linear_bfloat16(const LinearStep& step) {
  multiply_all(Bfloat16{step, round_rows(step.x, step.scratch)});
}

}  // namespace attnengine::ATTNENGINE_ISA
