#pragma once

#include "kernels/steps/linear.h"

namespace attnengine::ATTNENGINE_ISA {

// Weights packed as float32: (panels, in, kPanel).
std::int64_t packed_linear_bytes(std::int64_t out, std::int64_t in);
void pack_linear(const PackStep& step);

// Every output is one chain of additions over blocks of 512 inputs. The bits are the same for any
// number of rows and threads.
void linear(const LinearStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
