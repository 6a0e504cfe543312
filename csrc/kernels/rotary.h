#pragma once

#include "kernels/steps/rotary.h"

namespace attnengine::ATTNENGINE_ISA {

// Turns each pair (x[i], x[i + half]) of the first step.num_heads heads of a row by the row's angle
// i, in place. The rest of a head, beyond 2 * half, stays.
void rotary(const RotaryStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
