#include "core/buffer.h"

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace attnengine {
namespace {

constexpr std::int64_t kLine = 64;           // bytes
constexpr std::int64_t kHugePage = 1 << 21;  // bytes

// Large memory lies on huge pages where the system has them: streaming weights misses the
// translation cache at every small one. A last page that is not full would be memory for nothing.
void* allocate_bytes(std::int64_t bytes) {
  const std::int64_t alignment = bytes >= kHugePage ? kHugePage : kLine;
  void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!memory) throw std::bad_alloc();
#if defined(__linux__)
  if (alignment == kHugePage) madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace

void Buffer::allocate(std::int64_t size) {
  constexpr std::int64_t kNumber = sizeof(float);
  if (size > (PTRDIFF_MAX - kHugePage) / kNumber) throw std::bad_alloc();
  const std::int64_t bytes = (size * kNumber + kLine - 1) / kLine * kLine;
  data_.reset();
  capacity_ = 0;
  data_.reset(static_cast<float*>(allocate_bytes(bytes)));
  capacity_ = bytes / kNumber;
}

}  // namespace attnengine
