#include "layers/linear.h"

#include <algorithm>

#include "core/buffer.h"
#include "core/expect.h"
#include "core/parallel.h"
#include "kernels/kernels.h"

namespace attnengine {
namespace {

constexpr std::int64_t kMinPack = 1 << 20;  // numbers for which a thread pays

SharedFloats pack(ConstMatrix weight) {
  const auto memory = std::make_shared<Buffer>();
  float* packed = memory->floats(packed_linear_size(weight.rows, weight.cols));
  const std::int64_t panels = (weight.rows + kPanel - 1) / kPanel;
  const auto pack_panels = [=](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin * kPanel, last = std::min(end * kPanel, weight.rows);
    kernels().pack_linear({weight[first], last - first, weight.cols}, packed + first * weight.cols);
  };
  const auto paying = weight.rows * weight.cols / kMinPack + 1;
  const auto threads = std::min<std::int64_t>({packing_threads(), panels, paying});
  joined_for(panels, static_cast<int>(threads), pack_panels);
  return {memory, packed};
}

}  // namespace

Linear::Linear(ConstMatrix weight, std::vector<float> bias)
    : Linear(pack(weight), weight.rows, weight.cols, std::move(bias)) {}

Linear::Linear(SharedFloats packed, std::int64_t out, std::int64_t in, std::vector<float> bias)
    : in_(in), out_(out), packed_(std::move(packed)), bias_(std::move(bias)) {
  if (!bias_.empty()) expect_equal(std::int64_t(bias_.size()), out_, "bias.shape[0]");
}

void Linear::operator()(ConstMatrix x, Matrix y, Activation activation, bool add) const {
  kernels().linear({x, packed_.get(), bias_.empty() ? nullptr : bias_.data(), activation, y, add});
}

}  // namespace attnengine
