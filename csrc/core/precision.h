#pragma once

#include <cstdint>

namespace attnengine {

// How a linear layer stores its weight and multiplies with it. Inputs, biases and outputs are
// float32.
enum class Precision { kFloat32, kBfloat16, kInt8, kInt4 };
constexpr int kPrecisions = 4;

// As users write them, in the order above.
constexpr const char* kPrecisionNames[kPrecisions] = {"float32", "bfloat16", "int8", "int4"};

// How keys and values are kept. Attention itself is always computed in float32. float16 is rounded
// half to even; finite numbers stay finite. int8 is rounded as simd/scaled_bytes.h says: each head
// and position has a scale for its key and one for its value.
enum class CachePrecision { kFloat32, kFloat16, kInt8 };
constexpr int kCachePrecisions = 3;
constexpr const char* kCachePrecisionNames[kCachePrecisions] = {"float32", "float16", "int8"};

// Bytes of one number, without its scale.
[[gnu::always_inline]] constexpr std::int64_t bytes_of(CachePrecision precision) {
  constexpr std::int64_t kBytes[kCachePrecisions] = {4, 2, 1};
  return kBytes[static_cast<int>(precision)];
}

}  // namespace attnengine
