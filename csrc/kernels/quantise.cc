#include "kernels/quantise.h"

#include "core/parallel.h"
#include "simd/scaled_bytes.h"

namespace attnengine::ATTNENGINE_ISA {
namespace {

constexpr int kVectors = kScaleBlock / kLanes;
constexpr std::int64_t kWork = 20 * kVectors;  // instructions of a block

// The largest |x|, infinite or NaN where one is not finite.
ATTNENGINE_INLINE float largest_of_block(const Floats (&x)[kVectors]) {
  Ints largest{};
  for (const Floats& vector : x) largest = larger_magnitudes(largest, vector);
  return largest_magnitude(largest);
}

// A sum of at most 64 bytes is exact in float32.
ATTNENGINE_INLINE std::int32_t sum_of_lanes(Ints x) {
  return static_cast<std::int32_t>(sum(__builtin_convertvector(x, Floats)));
}

// The first numbers of a block, zeros after them.
ATTNENGINE_INLINE void load_block(const float* x, std::int64_t count, Floats (&block)[kVectors]) {
  for (int v = 0; v < kVectors; ++v) {
    const std::int64_t left = count - v * kLanes;
    block[v] = left >= kLanes ? load(x + v * kLanes)
               : left > 0     ? load_some(x + v * kLanes, left, 0)
                              : Floats{};
  }
}

// The values of a block, and the sums of its halves.
ATTNENGINE_INLINE void round_block(const Floats (&block)[kVectors], float inverse,
                                   std::int8_t* values, std::int32_t* sums) {
  Ints halves[2] = {};
  for (int v = 0; v < kVectors; ++v) {
    const Ints integers = rounded(block[v], inverse);
    *reinterpret_cast<UnalignedNarrow*>(values + v * kLanes) = narrow(integers);
    halves[v / (kVectors / 2)] += integers;
  }
  for (int half = 0; half < 2; ++half) sums[half] = sum_of_lanes(halves[half]);
}

// At most kLanes blocks of a row. The scales of all come first, so that no block waits for its own.
ATTNENGINE_INLINE void quantise(const float* x, std::int64_t count, std::int8_t* values,
                                float* scales, std::int32_t* sums) {
  const std::int64_t blocks = ceil_divide(count, kScaleBlock);
  float largest[kLanes] = {}, inverses[kLanes];
  Floats block[kVectors];
  for (std::int64_t b = 0; b < blocks; ++b) {
    load_block(x + b * kScaleBlock, count - b * kScaleBlock, block);
    largest[b] = largest_of_block(block);
  }
  const Scales found = scales_of(load(largest));
  store(inverses, found.inverses);
  store_first(scales, found.scales, blocks);
  for (std::int64_t b = 0; b < blocks; ++b) {
    load_block(x + b * kScaleBlock, largest[b] < kInfinity ? count - b * kScaleBlock : 0, block);
    round_block(block, inverses[b], values + b * kScaleBlock, sums + 2 * b);
  }
}

}  // namespace

float quantise_block(const float* x, std::int64_t count, std::int8_t* values) {
  float scales[kLanes];
  std::int32_t sums[2 * kLanes];
  quantise(x, count, values, scales, sums);
  return scales[0];
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
  parallel_for(x.rows, kWork * quantised.blocks, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      for (std::int64_t b = 0; b < quantised.blocks; b += kLanes) {
        const std::int64_t i = row * quantised.blocks + b, first = b * kScaleBlock;
        const std::int64_t left = x.cols - first, most = kLanes * kScaleBlock;
        quantise(x[row] + first, left < most ? left : most, quantised.values + i * kScaleBlock,
                 quantised.scales + i, quantised.sums + 2 * i);
      }
  });
}

}  // namespace attnengine::ATTNENGINE_ISA
