#include "kernels/int4_panel.h"
#include "kernels/linear_int4.h"
#include "simd/vec.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

constexpr int kTried = 11;   // steps that are tried first, from 15/14 to 15/19 of the range
constexpr int kRefined = 2;  // times that the best is fitted again

// An integer from 0 to `most`, half to even.
ATTNENGINE_INLINE Floats limited(Floats x, float most) {
  return min(max(x, Floats{}), broadcast(most)) + 12582912.0f - 12582912.0f;
}
// Zero where x is.
ATTNENGINE_INLINE Floats inverse(Floats x) { return x > 0.0f ? 1.0f / x : Floats{}; }

typedef std::uint8_t UnalignedNarrow __attribute__((vector_size(kLanes), aligned(1), may_alias));
ATTNENGINE_INLINE void store_narrow(std::uint8_t* p, Floats x) {
  *reinterpret_cast<UnalignedNarrow*>(p) =
      __builtin_convertvector(__builtin_convertvector(x, Ints), UnalignedNarrow);
}
ATTNENGINE_INLINE Floats load_narrow(const std::uint8_t* p) {
  return __builtin_convertvector(*reinterpret_cast<const UnalignedNarrow*>(p), Floats);
}

// Some inputs of kLanes outputs, zeros after the last.
struct Half {
  Floats values[kHalf];
  std::int64_t count;
};

ATTNENGINE_INLINE void load_half(ConstMatrix weight, std::int64_t output, std::int64_t input,
                                 Half& half) {
  const std::int64_t left = weight.cols - input;
  half.count = left < kHalf ? left : kHalf;
  auto* values = reinterpret_cast<float*>(half.values);
  for (std::int64_t lane = 0; lane < kLanes; ++lane)
    for (std::int64_t k = 0; k < kHalf; ++k)
      values[k * kLanes + lane] =
          output + lane < weight.rows && k < half.count ? weight[output + lane][input + k] : 0;
}

// Values as step * level + low, low <= 0; of two the one with the larger gain has the smaller sum
// of squared errors.
struct Fit {
  Floats step, low, gain;
};

// The levels (value - low) * factor, and then the best step and low for these.
ATTNENGINE_INLINE void try_levels(const Half& half, Floats low, Floats factor, Fit& best) {
  Floats values{}, levels{}, squares{}, products{};
  for (std::int64_t k = 0; k < half.count; ++k) {
    const Floats q = limited((half.values[k] - low) * factor, 15);
    values += half.values[k];
    levels += q;
    squares += q * q;
    products += q * half.values[k];
  }
  const Floats count = broadcast(static_cast<float>(half.count));
  const Floats determinant = count * squares - levels * levels;
  Fit fit;
  fit.step = (count * products - levels * values) / determinant;
  fit.low = (squares * values - levels * products) / determinant;
  fit.step = fit.low > 0.0f ? products / squares : fit.step;
  fit.low = fit.low > 0.0f ? Floats{} : fit.low;
  fit.gain = fit.step * products + fit.low * values;
  const Ints better = (determinant > 0.0f) & (fit.step > 0.0f) & (fit.gain > best.gain);
  best.step = better ? fit.step : best.step;
  best.low = better ? fit.low : best.low;
  best.gain = better ? fit.gain : best.gain;
}

// The step of a half and its zero, in sixteenths of the step.
ATTNENGINE_INLINE void search(Half& half, Floats& step, Floats& zero) {
  Floats low{}, high{};
  for (std::int64_t k = 0; k < half.count; ++k) {
    low = min(low, half.values[k]);
    high = max(high, half.values[k]);
  }
  const Floats unit = high / 15.0f - low / 15.0f;
  const Floats factor = unit >= kTiny ? 1.0f / unit : Floats{};
  for (std::int64_t k = 0; k < half.count; ++k) half.values[k] *= factor;
  low *= factor;
  Fit best{broadcast(1), low, broadcast(-kInfinity)};
  for (int i = 0; i < kTried; ++i)
    try_levels(half, low, broadcast((14.0f + 0.5f * float(i)) / 15.0f), best);
  for (int i = 0; i < kRefined; ++i) try_levels(half, best.low, 1.0f / best.step, best);
  step = unit >= kTiny ? best.step * unit : Floats{};
  zero = limited(-16.0f * best.low / best.step, 255);
}

// kLanes outputs of a panel.
struct Packer {
  ConstMatrix weight;
  std::int64_t output;  // the first
  std::uint8_t* panel;

  ATTNENGINE_INLINE Int4Half parts(std::int64_t half) const { return int4_half(weight.cols, half); }
  ATTNENGINE_INLINE std::int64_t lane() const { return output % kPanel; }
  // Where a step lies, among the weights, until the scale is known.
  ATTNENGINE_INLINE float* kept(std::int64_t half) const {
    return reinterpret_cast<float*>(panel + parts(half).weights) + lane();
  }

  // Keeps the steps of all halves and writes their zeros; returns the scale, which is NaN where a
  // weight is not finite.
  ATTNENGINE_INLINE Floats search_all() const {
    Floats largest{}, nothing{};
    for (std::int64_t h = 0; h < int4_halves(weight.cols); ++h) {
      Half half;
      load_half(weight, output, h * kHalf, half);
      for (const Floats& x : half.values) nothing += x * 0.0f;
      Floats step, zero;
      search(half, step, zero);
      store_narrow(panel + parts(h).zeros + lane(), zero);
      store(kept(h), step);
      largest = max(step, largest);
    }
    return largest / 255.0f + nothing;
  }

  ATTNENGINE_INLINE void pack_half(std::int64_t h, Floats scale) const {
    const Int4Half to = parts(h);
    const Floats step = load(kept(h));
    Floats steps = limited(step * inverse(scale), 255);
    steps = step > 0.0f ? max(steps, broadcast(1)) : steps;
    store_narrow(panel + to.steps + lane(), steps);
    const Floats factor = inverse(steps * scale);
    const Floats zero = load_narrow(panel + to.zeros + lane()) / 16.0f;
    Half half;
    load_half(weight, output, h * kHalf, half);
    for (std::int64_t k = 0; k < kHalf; k += 8) {
      Ints bytes{};
      for (int i = 0; i < 8; ++i) {
        const Floats q = limited(half.values[k + i] * factor + zero, 15);
        bytes |= __builtin_convertvector(q, Ints) << (i % 4 * 8 + i / 4 * 4);
      }
      auto* line = reinterpret_cast<float*>(panel + to.weights + k / 8 * kInt4Line);
      store(line + lane(), reinterpret_cast<Floats>(bytes));
    }
  }
};

}  // namespace

void pack_linear_int4(const PackStep& step) {
  const std::int64_t in = step.weight.cols;
  for (std::int64_t p = step.first; p < step.last; ++p) {
    auto* panel = static_cast<std::uint8_t*>(step.packed) + p * int4_panel_bytes(in);
    for (std::int64_t lane = 0; lane < kPanel; lane += kLanes) {
      const Packer packer{step.weight, p * kPanel + lane, panel};
      const Floats scale = packer.search_all();
      store(reinterpret_cast<float*>(panel) + lane, scale / 16.0f);
      for (std::int64_t h = 0; h < int4_halves(in); ++h) packer.pack_half(h, scale);
    }
  }
}

}  // namespace attnengine::ATTNENGINE_ISA
