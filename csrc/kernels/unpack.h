#pragma once

#include "kernels/steps/linear.h"

namespace attnengine::ATTNENGINE_ISA {

// The weights of one output as packing has rounded them. Reads the lines of a whole panel.
void unpack_linear(const UnpackStep& step);
void unpack_linear_bfloat16(const UnpackStep& step);
void unpack_linear_int8(const UnpackStep& step);
void unpack_linear_int4(const UnpackStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
