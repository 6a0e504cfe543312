#pragma once

#include <vector>

#include "core/buffer.h"
#include "core/matrix.h"

namespace attnengine {

// Rotary position embedding (Su et al. 2021) in half-split pairs. All scalings of the frequencies
// but the position-dependent ones come down to the frequencies and one factor.
class Rotary {
 public:
  // frequencies (half,) in radians a position; factor multiplies cosines and sines.
  Rotary(std::vector<float> frequencies, float factor);

  std::int64_t half() const { return static_cast<std::int64_t>(frequencies_.size()); }

  // -> cosines and sines (rows, half) of the positions (rows,)
  void angles(const std::int64_t* positions, Matrix cosines, Matrix sines) const;

 private:
  std::vector<float> frequencies_;
  float factor_;
};

}  // namespace attnengine
