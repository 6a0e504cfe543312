#include <cstdlib>
#include <string>
#include <string_view>

#include "core/errors.h"
#include "kernels/kernels.h"

namespace attnengine {

namespace baseline {
extern const Kernels table;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Kernels table;
}
namespace avx512 {
extern const Kernels table;
}
#endif

namespace {

struct Candidate {
  const Kernels* kernels;
  bool supported;
};

const Kernels& choose() {
  const Candidate candidates[] = {
// best first
#if defined(__x86_64__)
      {&avx512::table, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512dq") &&
                           __builtin_cpu_supports("avx512vl")},
      {&avx2::table, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
      {&baseline::table, true},
  };
  const char* wanted = std::getenv("ATTNENGINE_ISA");
  std::string available;
  for (const auto& [table, supported] : candidates) {
    if (!supported) continue;
    if (!wanted || std::string_view(wanted) == table->isa) return *table;
    available += (available.empty() ? "" : ", ") + std::string(table->isa);
  }
  throw InvalidArgument("ATTNENGINE_ISA is \"" + std::string(wanted) +
                        "\", expected one that this machine has: " + available);
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace attnengine
