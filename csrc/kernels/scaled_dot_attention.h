#pragma once

#include "kernels/steps/scaled_dot.h"

namespace attnengine::ATTNENGINE_ISA {

// softmax(scale * query . keys) @ values of every head, by online softmax. Its blocks of 64
// positions are counted from position 0, so that a row has the same bits alone, in a prompt and
// beside others.
void scaled_dot_attention(const ScaledDotStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
