#pragma once

namespace attnengine {

// How a linear layer stores its weight and multiplies with it. Inputs, biases and outputs are
// float32.
enum class Precision { kFloat32, kBfloat16, kInt8, kInt4 };
constexpr int kPrecisions = 4;

// As users write them, in the order above.
constexpr const char* kPrecisionNames[kPrecisions] = {"float32", "bfloat16", "int8", "int4"};

}  // namespace attnengine
