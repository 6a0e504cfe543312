#pragma once

#include <cstdint>

namespace attnengine {

// How a linear layer stores its weight and multiplies with it. Inputs, biases and outputs are
// float32.
enum class Precision { kFloat32, kBfloat16, kInt8, kInt4 };
constexpr int kPrecisions = 4;

// As users write them, in the order above.
constexpr const char* kPrecisionNames[kPrecisions] = {"float32", "bfloat16", "int8", "int4"};

// How keys and values are kept. Attention over them is that of float32, whatever they were rounded
// to: float16 half to even, and finite numbers to the largest at most.
enum class CachePrecision { kFloat32, kFloat16 };
constexpr int kCachePrecisions = 2;
constexpr const char* kCachePrecisionNames[kCachePrecisions] = {"float32", "float16"};

[[gnu::always_inline]] constexpr std::int64_t bytes_of(CachePrecision precision) {
  return precision == CachePrecision::kFloat16 ? 2 : 4;
}

}  // namespace attnengine
