#include "layers/readout.h"

#include <string>

#include "core/errors.h"

namespace attnengine {
namespace {

// out[j] = the larger of units[j] and units[size + j]; NaN when either is
void larger_half(const float* units, std::int64_t size, float* out) {
  for (std::int64_t j = 0; j < size; ++j) {
    const float first = units[j], second = units[size + j];
    out[j] = first < second || second != second ? second : first;
  }
}

}  // namespace

Readout::Readout(std::shared_ptr<const Linear> linear, Activation activation, bool maxout)
    : linear_(std::move(linear)), activation_(activation), maxout_(maxout) {
  if (maxout && linear_->out() % 2)
    throw InvalidArgument("readout weight.shape[0] is " + std::to_string(linear_->out()) +
                          ", expected an even number for maxout");
}

Matrix Readout::operator()(ConstMatrix parts, Buffer& units, Buffer& largest) const {
  const Matrix out = units.matrix(parts.rows, linear_->out());
  (*linear_)(parts, out, activation_);
  if (!maxout_) return out;
  const Matrix kept = largest.matrix(parts.rows, size());
  for (std::int64_t row = 0; row < parts.rows; ++row) larger_half(out[row], size(), kept[row]);
  return kept;
}

}  // namespace attnengine
