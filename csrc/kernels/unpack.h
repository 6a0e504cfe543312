#pragma once

#include "kernels/steps/linear.h"

namespace attnengine::ATTNENGINE_ISA {

// What the weights of one output are after packing. The lines of a whole panel are read for it.
void unpack_linear(const UnpackStep& step);
void unpack_linear_bfloat16(const UnpackStep& step);
void unpack_linear_int8(const UnpackStep& step);
void unpack_linear_int4(const UnpackStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
