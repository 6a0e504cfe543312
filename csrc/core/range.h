#pragma once

#include <cstdint>

namespace attnengine {

// How many parts of at most `size` n things make.
[[gnu::always_inline]] constexpr std::int64_t ceil_divide(std::int64_t n, std::int64_t size) {
  return (n + size - 1) / size;
}

struct Range {
  std::int64_t begin, end;

  [[gnu::always_inline]] constexpr std::int64_t size() const { return end - begin; }
  [[gnu::always_inline]] constexpr bool empty() const { return begin >= end; }
};

}  // namespace attnengine
