#pragma once

#include "kernels/steps/linear.h"

namespace attnengine::ATTNENGINE_ISA {

// Weights of 16 bits (panels, in / 2, kPanel, 2). Weights of two adjacent inputs are a pair; an odd
// number of inputs is padded with a zero.
std::int64_t packed_bfloat16_bytes(std::int64_t out, std::int64_t in);
void pack_linear_bfloat16(const PackStep& step);

// Bytes of scratch memory.
std::int64_t rounded_bytes(std::int64_t rows, std::int64_t in);

// Inputs are rounded as well. The second product of a pair is added before the first, like the
// instruction of AVX-512 with BF16 does. That instruction takes subnormal floats for zero.
void linear_bfloat16(const LinearStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
