#pragma once

#include "core/steps.h"

namespace attnengine::ATTNENGINE_ISA {

// Weights of 16 bits (panels, in / 2, kPanel, 2): those of two adjacent inputs lie together, with a
// zero after the last of an odd number.
std::int64_t packed_bfloat16_bytes(std::int64_t out, std::int64_t in);
void pack_linear_bfloat16(const PackStep& step);

// The same bits as `linear` with the rounded weight.
void linear_bfloat16(const LinearStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
