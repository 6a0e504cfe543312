#pragma once

#include "core/steps.h"

namespace attnengine::ATTNENGINE_ISA {

// weight (out, in) -> packed, packed_linear_size(out, in) floats
void pack_linear(ConstMatrix weight, float* packed);

// Every output is one chain of additions over blocks of kBlock inputs: the same bits for any number
// of rows and threads.
void linear(const LinearStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
