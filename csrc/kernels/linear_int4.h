#pragma once

#include "kernels/steps/linear.h"

namespace attnengine::ATTNENGINE_ISA {

// Weights of 4 bits: scale * step * (q - zero / 16), q from 0 to 15, with a step of 8 bits and a
// zero of 8 bits for each half of a block of inputs and a scale in float32 for each output. A panel
// is its scales (kPanel,) and its blocks; of a block for each half the q (kHalf / 8, kPanel, 4),
// the first of eight inputs in the lower and the others in the upper half of four bytes, then the
// steps (halves, kPanel), then the zeros (halves, kPanel).
std::int64_t packed_int4_bytes(std::int64_t out, std::int64_t in);
void pack_linear_int4(const PackStep& step);

// Inputs become 8 bits as for int8. The sum of a block is exact, and blocks are added in order: the
// same bits for any number of rows and threads and on every instruction set.
void linear_int4(const LinearStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
