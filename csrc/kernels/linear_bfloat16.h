#pragma once

#include "kernels/steps/linear.h"

namespace attnengine::ATTNENGINE_ISA {

// Weights of 16 bits (panels, in / 2, kPanel, 2): those of two adjacent inputs lie together, with a
// zero after the last of an odd number.
std::int64_t packed_bfloat16_bytes(std::int64_t out, std::int64_t in);
void pack_linear_bfloat16(const PackStep& step);

// Bytes of scratch memory.
std::int64_t rounded_bytes(std::int64_t rows, std::int64_t in);

// Inputs are rounded as well. Of two that lie together the second is the first to be added: so does
// the instruction of AVX-512 with BF16, which takes what is too small for a normal float for zero.
void linear_bfloat16(const LinearStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
