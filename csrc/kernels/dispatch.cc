#include "kernels/dispatch.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "core/errors.h"
#include "kernels/kernels.h"

namespace attnengine {

// The build has defined ATTNENGINE_HAS_<ISA> for each of these that is linked.
namespace neon {
extern const Kernels table;
}
namespace neon_dotprod {
extern const Kernels table;
}
namespace baseline {
extern const Kernels table;
}
namespace avx2 {
extern const Kernels table;
}
namespace avx2_vnni {
extern const Kernels table;
}
namespace avx512 {
extern const Kernels table;
}
namespace avx512_vnni {
extern const Kernels table;
}
namespace avx512_bf16 {
extern const Kernels table;
}

namespace {

struct Candidate {
  const Kernels* kernels;
  bool supported;
};

#if defined(__aarch64__)
[[maybe_unused]] bool has_dot_products() {
#if defined(__linux__)
  constexpr unsigned long kDotProducts = 1 << 20;  // HWCAP_ASIMDDP, which old headers lack
  return (getauxval(AT_HWCAP) & kDotProducts) != 0;
#elif defined(__APPLE__)
  return true;  // every Apple processor has them
#else
  return false;
#endif
}
#endif

#if defined(__x86_64__)
// Features that not every __builtin_cpu_supports knows.
[[maybe_unused]] bool has_halves() {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
[[maybe_unused]] bool has_newer(unsigned feature) {
  unsigned a, b, c, d;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & feature);
}
[[maybe_unused]] constexpr unsigned kAvxVnni = 1 << 4, kAvx512Bf16 = 1 << 5;
#endif

const std::vector<Candidate>& candidates() {
#if defined(__x86_64__)
  [[maybe_unused]] const bool avx512 =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  [[maybe_unused]] const bool avx512_vnni = avx512 && __builtin_cpu_supports("avx512vnni");
  [[maybe_unused]] const bool avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_halves();
#endif
  static const std::vector<Candidate> best_first = {
#if defined(ATTNENGINE_HAS_AVX512_BF16)
      {&avx512_bf16::table, avx512_vnni && has_newer(kAvx512Bf16)},
#endif
#if defined(ATTNENGINE_HAS_AVX512_VNNI)
      {&avx512_vnni::table, avx512_vnni},
#endif
#if defined(ATTNENGINE_HAS_AVX512)
      {&avx512::table, avx512},
#endif
#if defined(ATTNENGINE_HAS_AVX2_VNNI)
      {&avx2_vnni::table, avx2 && has_newer(kAvxVnni)},
#endif
#if defined(ATTNENGINE_HAS_AVX2)
      {&avx2::table, avx2},
#endif
#if defined(ATTNENGINE_HAS_NEON_DOTPROD)
      {&neon_dotprod::table, has_dot_products()},
#endif
#if defined(ATTNENGINE_HAS_NEON)
      {&neon::table, true},
#endif
#if defined(ATTNENGINE_HAS_BASELINE)
      {&baseline::table, true},
#endif
  };
  return best_first;
}

const Kernels& choose() {
  const char* wanted = std::getenv("ATTNENGINE_ISA");
  for (const auto& [table, supported] : candidates())
    if (supported && (!wanted || std::string_view(wanted) == table->isa)) return *table;
  std::string available;
  for (const std::string& isa : available_isas())
    available += (available.empty() ? "" : ", ") + isa;
  throw InvalidArgument("ATTNENGINE_ISA is \"" + std::string(wanted) +
                        "\", expected one that this machine has: " + available);
}

}  // namespace

std::vector<std::string> available_isas() {
  std::vector<std::string> available;
  for (const Candidate& candidate : candidates())
    if (candidate.supported) available.emplace_back(candidate.kernels->isa);
  return available;
}

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace attnengine
