#include "layers/rotary.h"

#include <cmath>

#include "core/errors.h"
#include "core/parallel.h"

namespace attnengine {

double DynamicBase::at(std::int64_t position, std::int64_t half) const {
  const double longer = double(position + 1) / double(trained);
  const double exponent = double(half) / double(half - 1);
  return base * std::pow(factor * longer - (factor - 1), exponent);
}

Rotary::Rotary(std::vector<float> frequencies, float factor, std::optional<DynamicBase> dynamic)
    : frequencies_(std::move(frequencies)), factor_(factor), dynamic_(dynamic) {
  if (frequencies_.empty()) throw InvalidArgument("frequencies is empty, expected at least one");
  if (!dynamic_) return;
  if (half() < 2) throw InvalidArgument("frequencies has one, expected at least 2 with dynamic");
  if (!(dynamic_->base > 0 && dynamic_->factor >= 1 && dynamic_->trained >= 1))
    throw InvalidArgument("dynamic is out of range, expected base > 0, factor >= 1, trained >= 1");
}

void Rotary::angles(const std::int64_t* positions, Matrix cosines, Matrix sines) const {
  constexpr std::int64_t kSineAndCosine = 64;  // operations
  parallel_for(cosines.rows, half() * kSineAndCosine, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const bool grown = dynamic_ && positions[row] >= dynamic_->trained;
      const double base = grown ? dynamic_->at(positions[row], half()) : 0;
      for (std::int64_t i = 0; i < half(); ++i) {
        const float frequency =
            grown ? float(std::pow(base, -double(i) / double(half()))) : frequencies_[i];
        // rounded to float, as the models were trained
        const double angle = static_cast<float>(positions[row]) * frequency;
        cosines[row][i] = static_cast<float>(std::cos(angle)) * factor_;
        sines[row][i] = static_cast<float>(std::sin(angle)) * factor_;
      }
    }
  });
}

}  // namespace attnengine
