#include "layers/recurrence.h"

#include <algorithm>

#include "core/expect.h"
#include "layers/columns.h"

namespace attnengine {

void SimpleRecurrence::check(std::int64_t size) const {
  for (const auto& linear : {forget_, input_}) {
    expect_equal(linear->in(), size, "recurrence weight.shape[1]");
    expect_equal(linear->out(), size, "recurrence weight.shape[0]");
  }
}

void SimpleRecurrence::run(const RecurrentRows& rows, RecurrenceScratch& scratch) const {
  const std::int64_t size = rows.x.cols;
  const Matrix forget = scratch.first.matrix(rows.x.rows, size);
  const Matrix input = scratch.second.matrix(rows.x.rows, size);
  (*forget_)(rows.x, forget, Activation::kSigmoid);
  (*input_)(rows.x, input);
  for (std::int64_t row = 0; row < rows.x.rows; ++row) {
    const float *before = rows.before[row], *f = forget[row], *x = input[row];
    float *after = rows.after[row], *out = rows.out[row];
    for (std::int64_t d = 0; d < size; ++d) {
      const float cell = f[d] * before[d] + (1.0f - f[d]) * x[d];
      after[d] = cell;
      out[d] = cell < 0 ? 0.0f : cell;  // NaN stays
    }
  }
}

void AverageRecurrence::check(std::int64_t size) const {
  expect_equal(gate_->in(), 2 * size, "recurrence gate weight.shape[1]");
  expect_equal(gate_->out(), 2 * size, "recurrence gate weight.shape[0]");
  if (feed_forward_) feed_forward_->check(size);
}

void AverageRecurrence::run(const RecurrentRows& rows, RecurrenceScratch& scratch) const {
  const std::int64_t count = rows.x.rows, size = rows.x.cols;
  const Matrix mean = scratch.first.matrix(count, size);
  for (std::int64_t row = 0; row < count; ++row) {
    const auto seen = static_cast<float>(rows.positions[row]);
    const float *before = rows.before[row], *x = rows.x[row];
    for (std::int64_t d = 0; d < size; ++d) mean[row][d] = (seen * before[d] + x[d]) / (seen + 1);
    std::copy_n(mean[row], size, rows.after[row]);
  }
  Matrix y = mean;
  if (feed_forward_) {
    y = scratch.second.matrix(count, size);
    feed_forward_->run(constant(mean), y, /*add=*/false, scratch.feed_forward);
  }
  const Matrix pair = scratch.both.matrix(count, 2 * size);
  copy_columns(rows.x, pair, 0);
  copy_columns(constant(y), pair, size);
  const Matrix gates = scratch.gates.matrix(count, 2 * size);
  (*gate_)(constant(pair), gates, Activation::kSigmoid);
  for (std::int64_t row = 0; row < count; ++row)
    for (std::int64_t d = 0; d < size; ++d)
      rows.out[row][d] = gates[row][d] * rows.x[row][d] + gates[row][size + d] * y[row][d];
}

}  // namespace attnengine
