#include "kernels/quantise.h"

#include "core/parallel.h"
#include "simd/bytes.h"
#include "simd/map.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

constexpr std::int64_t kVectors = kScaleBlock / kLanes;
constexpr float kTiny = 0x1p-100f;  // a block whose numbers are all smaller counts as zero

// The largest |x|, infinite or NaN where one is not finite: as integers these are the largest.
ATTNENGINE_INLINE float largest_magnitude(const Floats (&x)[kVectors]) {
  Ints largest{};
  for (const Floats& vector : x) {
    const Ints bits = reinterpret_cast<Ints>(vector) & 0x7fffffff;
    largest = bits > largest ? bits : largest;
  }
  const std::int32_t bits = largest_lane(largest);
  float magnitude;
  __builtin_memcpy(&magnitude, &bits, sizeof(magnitude));
  return magnitude;
}

// Adding 1.5 * 2^23 rounds to an integer and leaves it in the lowest bits.
ATTNENGINE_INLINE Ints rounded(Floats x, float inverse) {
  const Floats shifted = x * broadcast(inverse) + broadcast(0x1.8p23f);
  return reinterpret_cast<Ints>(shifted) - 0x4b400000;
}

// The values of each lane, added, of the two halves.
ATTNENGINE_INLINE float quantise(const float* x, std::int64_t count, std::int8_t* values,
                                 Ints (&sums)[2]) {
  Floats block[kVectors] = {};
  for_lanes(count,
            [&](std::int64_t i, std::int64_t n) { block[i / kLanes] = load_first(x + i, n); });
  const float largest = largest_magnitude(block);
  const bool finite = largest < kInfinity;
  const float inverse = finite && largest >= kTiny ? 127.0f / largest : 0.0f;
  for (std::int64_t v = 0; v < kVectors; ++v) {
    const Ints integers = finite ? rounded(block[v], inverse) : Ints{};
    *reinterpret_cast<UnalignedNarrow*>(values + v * kLanes) = narrow(integers);
    sums[v / (kVectors / 2)] += integers;
  }
  return finite ? (inverse > 0 ? largest / 127.0f : 0.0f) : __builtin_nanf("");
}

ATTNENGINE_INLINE std::int32_t sum_of_lanes(Ints x) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < kLanes; ++i) sum += x[i];
  return sum;
}

}  // namespace

float quantise_block(const float* x, std::int64_t count, std::int8_t* values) {
  Ints sums[2] = {};
  return quantise(x, count, values, sums);
}

std::int64_t quantised_bytes(std::int64_t rows, std::int64_t in) {
  const std::int64_t blocks = ceil_divide(in, kScaleBlock);
  return rows * blocks * std::int64_t(kScaleBlock + sizeof(float) + 2 * sizeof(std::int32_t));
}

QuantisedRows quantised_rows(std::int64_t rows, std::int64_t in, void* scratch) {
  const std::int64_t blocks = ceil_divide(in, kScaleBlock);
  auto* values = static_cast<std::int8_t*>(scratch);
  auto* scales = reinterpret_cast<float*>(values + rows * blocks * kScaleBlock);
  auto* sums = reinterpret_cast<std::int32_t*>(scales + rows * blocks);
  return {blocks, values, scales, sums};
}

void quantise_rows(ConstMatrix x, const QuantisedRows& quantised) {
  parallel_for(x.rows, 2 * x.cols, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      for (std::int64_t b = 0; b < quantised.blocks; ++b) {
        const std::int64_t i = row * quantised.blocks + b, first = b * kScaleBlock;
        const std::int64_t left = x.cols - first;
        std::int8_t* values = quantised.values + i * kScaleBlock;
        Ints sums[2] = {};
        quantised.scales[i] =
            quantise(x[row] + first, left < kScaleBlock ? left : kScaleBlock, values, sums);
        for (int half = 0; half < 2; ++half)
          quantised.sums[2 * i + half] = sum_of_lanes(sums[half]);
      }
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
