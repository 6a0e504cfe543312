#include "layers/linear.h"

#include <algorithm>

#include "core/buffer.h"
#include "core/expect.h"
#include "core/parallel.h"
#include "kernels/kernels.h"

namespace attnengine {
namespace {

constexpr std::int64_t kMinPack = 1 << 18;  // numbers for which a thread pays
constexpr std::int64_t kRead = 1 << 21;     // numbers that are read at a time

const LinearKernels& kernels_of(Precision precision) { return kernels().linear[int(precision)]; }

// Rows behind one another, the first at the beginning of a panel.
void pack_panels(ConstMatrix rows, const BuildSettings& settings, std::byte* packed) {
  const std::int64_t panels = panel_count(rows.rows);
  const auto pack = [=](std::int64_t begin, std::int64_t end) {
    kernels_of(settings.precision).pack({rows, begin, end, packed});
  };
  const auto paying = rows.rows * rows.cols / kMinPack + 1;
  const auto threads = std::min<std::int64_t>({settings.num_threads, panels, paying});
  joined_for(panels, static_cast<int>(threads), pack);
}

// `rows` at a time, a multiple of kPanel or all.
SharedBytes pack(const ReadRows& weight, std::int64_t out, std::int64_t in, std::int64_t rows,
                 const BuildSettings& settings) {
  const auto memory = std::make_shared<Buffer>();
  const std::int64_t bytes = Linear::packed_bytes(settings.precision, out, in);
  std::byte* packed = memory->bytes(bytes);
  if (!settings.pack) return {memory, packed};
  const std::int64_t panel = Linear::packed_bytes(settings.precision, 1, in);
  for (std::int64_t begin = 0; begin < out; begin += rows)
    pack_panels(weight(begin, std::min(begin + rows, out)), settings,
                packed + begin / kPanel * panel);
  return {memory, packed};
}

}  // namespace

Linear::Linear(ConstMatrix weight, std::vector<float> bias, const BuildSettings& settings)
    : Linear(pack([&](std::int64_t, std::int64_t) { return weight; }, weight.rows, weight.cols,
                  weight.rows, settings),
             weight.rows, weight.cols, std::move(bias), settings.precision) {}

Linear::Linear(const ReadRows& weight, std::int64_t out, std::int64_t in, std::vector<float> bias,
               const BuildSettings& settings)
    : Linear(
          pack(weight, out, in, std::max<std::int64_t>(kRead / in / kPanel, 1) * kPanel, settings),
          out, in, std::move(bias), settings.precision) {}

Linear::Linear(SharedBytes packed, std::int64_t out, std::int64_t in, std::vector<float> bias,
               Precision precision)
    : in_(in),
      out_(out),
      precision_(precision),
      packed_(std::move(packed)),
      bias_(std::move(bias)) {
  if (!bias_.empty()) expect_equal(std::int64_t(bias_.size()), out_, "bias.shape[0]");
}

std::int64_t Linear::packed_bytes(Precision precision, std::int64_t out, std::int64_t in) {
  return kernels_of(precision).bytes(out, in);
}

void Linear::operator()(ConstMatrix x, Matrix y, Activation activation, bool add) const {
  thread_local Buffer scratch;
  const LinearKernels& kernels = kernels_of(precision_);
  const float* bias = bias_.empty() ? nullptr : bias_.data();
  void* memory = scratch.bytes(kernels.scratch(x.rows, in_));
  kernels.run({x, packed_.get(), bias, activation, y, add, memory});
}

void Linear::unpack(std::int64_t output, float* row) const {
  kernels_of(precision_).unpack({packed_.get(), output, row, in_});
}

}  // namespace attnengine
