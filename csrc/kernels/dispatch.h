#pragma once

#include <string>
#include <vector>

namespace attnengine {

// Names of the instruction sets that this machine has, best first.
std::vector<std::string> available_isas();

}  // namespace attnengine
