#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/buffer.h"
#include "core/matrix.h"

namespace attnengine {

// NTK-aware scaling ("dynamic"). From position `trained` on the base of the frequencies grows with
// the position, as for a text that ends there, so that cached keys stay valid.
struct DynamicBase {
  double base = 0;    // of the first positions
  double factor = 0;  // sequences become longer by
  std::int64_t trained = 0;

  // The base of a position that is at least `trained`, for vectors of 2 * half dimensions.
  double at(std::int64_t position, std::int64_t half) const;
};

// Rotary position embedding (Su et al. 2021) in half-split pairs. All scalings of the frequencies
// but DynamicBase come down to the frequencies and one factor.
class Rotary {
 public:
  // frequencies (half,) in radians a position; factor multiplies cosines and sines.
  // Throws InvalidArgument for no frequencies, and with `dynamic` for one.
  Rotary(std::vector<float> frequencies, float factor, std::optional<DynamicBase> dynamic = {});

  std::int64_t half() const { return static_cast<std::int64_t>(frequencies_.size()); }

  // -> cosines and sines (rows, half) of the positions (rows,)
  void angles(const std::int64_t* positions, Matrix cosines, Matrix sines) const;

 private:
  std::vector<float> frequencies_;
  float factor_;
  std::optional<DynamicBase> dynamic_;
};

}  // namespace attnengine
