#include "core/buffer.h"

#include <cstdlib>
#include <new>

#include "core/range.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace attnengine {
namespace {

constexpr std::int64_t kLine = 64;           // bytes
constexpr std::int64_t kPageSize = 1 << 16;  // bytes; no system has larger small pages
constexpr std::int64_t kHugePage = 1 << 21;  // bytes

std::int64_t rounded(std::int64_t bytes, std::int64_t unit) {
  return ceil_divide(bytes, unit) * unit;
}

#if defined(__linux__)

// Large memory is mapped, so that it returns to the system when freed; the heap would keep gaps.
// Huge pages are used where the system has them: with small pages, streaming weights misses the
// translation cache at each. The end that fills no huge page has small ones.
void* allocate_pages(std::int64_t bytes) {
  const std::int64_t mapped = bytes + kHugePage;
  void* found = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (found == MAP_FAILED) throw std::bad_alloc();
  char* begin = static_cast<char*>(found);
  char* memory = begin + rounded(reinterpret_cast<std::intptr_t>(begin), kHugePage) -
                 reinterpret_cast<std::intptr_t>(begin);
  if (memory > begin) munmap(begin, memory - begin);
  if (begin + mapped > memory + bytes) munmap(memory + bytes, begin + mapped - (memory + bytes));
  madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return memory;
}
void free_pages(void* memory, std::int64_t bytes) { munmap(memory, bytes); }

#else

void* allocate_pages(std::int64_t bytes) {
  void* memory = std::aligned_alloc(kPageSize, bytes);
  if (!memory) throw std::bad_alloc();
  return memory;
}
void free_pages(void* memory, std::int64_t) { std::free(memory); }

#endif

void* allocate_lines(std::int64_t bytes) {
  void* memory = std::aligned_alloc(kLine, bytes);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

void Buffer::Free::operator()(float* p) const {
  if (bytes >= kHugePage)
    free_pages(p, bytes);
  else
    std::free(p);
}

void Buffer::allocate(std::int64_t size) {
  constexpr std::int64_t kNumber = sizeof(float);
  if (size > (PTRDIFF_MAX - 2 * kHugePage) / kNumber) throw std::bad_alloc();
  const bool large = size * kNumber >= kHugePage;
  const std::int64_t bytes = rounded(size * kNumber, large ? kPageSize : kLine);
  data_.reset();
  capacity_ = 0;
  data_ = {static_cast<float*>(large ? allocate_pages(bytes) : allocate_lines(bytes)), Free{bytes}};
  capacity_ = bytes / kNumber;
}

}  // namespace attnengine
