#pragma once

#include "core/steps.h"
#include "simd/vec.h"

// How a product of rows and panels is cut into tiles that fit in the registers.
//
// A kernel says with kMaxSums how many vectors of sums fit besides the operands, with kMaxRows and
// kMaxPanels the largest tile, and has the product of a tile, multiply<kRows, kPanels>(tile).
namespace attnengine::ATTNENGINE_ISA {

constexpr int kVectors = kPanel / kLanes;  // of a panel

constexpr std::int64_t ceil_divide(std::int64_t n, std::int64_t size) {
  return (n + size - 1) / size;
}

struct Range {
  std::int64_t begin, end;
};

// A range cut into pieces of at most `size`, as even as they can be: the longest come first.
struct Pieces {
  ATTNENGINE_INLINE Pieces(std::int64_t n, std::int64_t size)
      : n(n), count(ceil_divide(n, size)) {}

  ATTNENGINE_INLINE std::int64_t begin(std::int64_t i) const {
    const std::int64_t longer = n % count;
    return n / count * i + (i < longer ? i : longer);
  }

  std::int64_t n;
  std::int64_t count;
};

// How many panels a tile of so many rows takes at once: with few rows several, so that enough
// chains are in flight.
template <class Kernel>
constexpr int panels_at_once(std::int64_t rows) {
  int panels = 1;
  while (2 * panels <= Kernel::kMaxPanels && 2 * panels * rows * kVectors <= Kernel::kMaxSums)
    panels *= 2;
  return panels;
}

template <class Kernel, int kRows, int kPanels = panels_at_once<Kernel>(kRows), class Tile>
ATTNENGINE_INLINE void multiply_rows(int panels, const Tile& tile) {
  if constexpr (kPanels > 1) {
    if (panels < kPanels) return multiply_rows<Kernel, kRows, kPanels / 2>(panels, tile);
  }
  Kernel::template multiply<kRows, kPanels>(tile);
}

template <class Kernel, int kRows = Kernel::kMaxRows, class Tile>
ATTNENGINE_INLINE void multiply_any(std::int64_t rows, int panels, const Tile& tile) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return multiply_any<Kernel, kRows - 1>(rows, panels, tile);
  }
  multiply_rows<Kernel, kRows>(panels, tile);
}

}  // namespace attnengine::ATTNENGINE_ISA
