#pragma once

#include "core/steps.h"

namespace attnengine::ATTNENGINE_ISA {

// Element by element, in place.
void activate(Activation activation, Matrix x);

}  // namespace attnengine::ATTNENGINE_ISA
