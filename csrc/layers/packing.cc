#include "layers/packing.h"

#include "core/parallel.h"

namespace attnengine {
namespace {

thread_local Packing packing_of_thread;

}  // namespace

const Packing& packing() { return packing_of_thread; }

Precision logits_precision() {
  const Precision chosen = packing().precision;
  return chosen == Precision::kInt4 ? Precision::kInt8 : chosen;
}

void set_packing(const Packing& chosen) {
  check_threads(chosen.num_threads);
  packing_of_thread = chosen;
}

}  // namespace attnengine
