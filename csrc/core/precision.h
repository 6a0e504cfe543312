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
// to: float16 half to even, and finite numbers to the largest at most; int8 as simd/scaled_bytes.h
// says, with a scale for the key and one for the value of every head and position.
enum class CachePrecision { kFloat32, kFloat16, kInt8 };
constexpr int kCachePrecisions = 3;
constexpr const char* kCachePrecisionNames[kCachePrecisions] = {"float32", "float16", "int8"};

// Of a number, without its scale.
[[gnu::always_inline]] constexpr std::int64_t bytes_of(CachePrecision precision) {
  constexpr std::int64_t kBytes[kCachePrecisions] = {4, 2, 1};
  return kBytes[static_cast<int>(precision)];
}

}  // namespace attnengine
