#pragma once

#include "kernels/steps/linear.h"

namespace attnengine::ATTNENGINE_ISA {

// Weights of 8 bits (panels, blocks). A block of kScaleBlock inputs is its values (in / 4, kPanel,
// 4) and then its scales (kPanel,) in float32. The last four inputs are padded with zeros.
std::int64_t packed_int8_bytes(std::int64_t out, std::int64_t in);
void pack_linear_int8(const PackStep& step);

// Inputs become 8 bits as well, row by row. The sum of a block is exact, and blocks are added in
// order. The bits are the same for any number of rows and threads and on every instruction set.
void linear_int8(const LinearStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
