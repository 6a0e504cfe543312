#include "layers/rotary.h"

#include <cmath>

#include "core/errors.h"
#include "core/parallel.h"

namespace attnengine {

Rotary::Rotary(std::vector<float> frequencies, float factor)
    : frequencies_(std::move(frequencies)), factor_(factor) {
  if (frequencies_.empty()) throw InvalidArgument("frequencies is empty, expected at least one");
}

void Rotary::angles(const std::int64_t* positions, Matrix cosines, Matrix sines) const {
  constexpr std::int64_t kSineAndCosine = 64;  // operations
  parallel_for(cosines.rows, half() * kSineAndCosine, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      for (std::int64_t i = 0; i < half(); ++i) {
        // rounded to float, as the models were trained
        const double angle = static_cast<float>(positions[row]) * frequencies_[i];
        cosines[row][i] = static_cast<float>(std::cos(angle)) * factor_;
        sines[row][i] = static_cast<float>(std::sin(angle)) * factor_;
      }
  });
}

}  // namespace attnengine
