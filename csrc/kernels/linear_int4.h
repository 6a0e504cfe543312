#pragma once

#include "kernels/steps/linear.h"

namespace attnengine::ATTNENGINE_ISA {

// Weights of 4 bits: scale * step * (q - zero / 16), q from 0 to 15. Each half of a block of inputs
// has a step and a zero of 8 bits; each output has a scale in float32. A panel is its scales
// (kPanel,) and then its blocks. A block is
//   q      (halves, kHalf / 8, kPanel, 4), two in a byte
//   steps  (halves, kPanel)
//   zeros  (halves, kPanel)
// Four bytes hold eight inputs: the first four in the lower halves, the others in the upper halves.
std::int64_t packed_int4_bytes(std::int64_t out, std::int64_t in);
void pack_linear_int4(const PackStep& step);

// Inputs become 8 bits as for int8. The sum of a block is exact, and blocks are added in order. The
// bits are the same for any number of rows and threads and on every instruction set.
void linear_int4(const LinearStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
