#include "kernels/linear.h"

#include "core/parallel.h"
#include "kernels/activations.h"
#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

// Outputs of `Rows` rows and `Panels` panels, kept in registers over all inputs.
template <int Rows, int Panels>
void tile(const LinearStep& step, std::int64_t row, std::int64_t panel) {
  const std::int64_t in = step.x.cols;
  Floats sums[Rows][Panels][2] = {};
  for (std::int64_t k = 0; k < in; ++k) {
    for (int p = 0; p < Panels; ++p) {
      const float* w = step.packed + ((panel + p) * in + k) * kPanel;
      const Floats w0 = load(w), w1 = load(w + kLanes);
      for (int r = 0; r < Rows; ++r) {
        const Floats x = broadcast(step.x[row + r][k]);
        sums[r][p][0] = fma(x, w0, sums[r][p][0]);
        sums[r][p][1] = fma(x, w1, sums[r][p][1]);
      }
    }
  }
  const std::int64_t out = step.y.cols;
  for (int r = 0; r < Rows; ++r) {
    for (int p = 0; p < Panels; ++p) {
      for (int half = 0; half < 2; ++half) {
        const std::int64_t first = (panel + p) * kPanel + half * kLanes;
        if (first >= out) continue;
        const std::int64_t n = out - first < kLanes ? out - first : kLanes;
        Floats y = sums[r][p][half];
        if (step.bias) y += load_first(step.bias + first, n, 0);
        store_first(step.y[row + r] + first, y, n);
      }
    }
  }
}

template <int Rows, int Panels>
void panels(const LinearStep& step, std::int64_t row, std::int64_t begin, std::int64_t end) {
  std::int64_t p = begin;
  for (; p + Panels <= end; p += Panels) tile<Rows, Panels>(step, row, p);
  for (; p < end; ++p) tile<Rows, 1>(step, row, p);
}

void rows_of_panels(const LinearStep& step, std::int64_t begin, std::int64_t end) {
  std::int64_t row = 0;
  for (; row + 4 <= step.x.rows; row += 4) panels<4, 1>(step, row, begin, end);
  for (; row < step.x.rows; ++row) panels<1, 4>(step, row, begin, end);
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
  const std::int64_t count = (step.y.cols + kPanel - 1) / kPanel;
  parallel_for(count, step.x.rows * step.x.cols * kPanel,
               [&step](std::int64_t begin, std::int64_t end) { rows_of_panels(step, begin, end); });
  activate(step.activation, step.y);
}

}  // namespace attnengine::ATTNENGINE_ISA
