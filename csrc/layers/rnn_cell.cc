#include "layers/rnn_cell.h"

#include "core/expect.h"
#include "kernels/kernels.h"

namespace attnengine {

void Cell::run(const Timesteps& timesteps, ConstMatrix x, const CellState& state,
               CellScratch& scratch) const {
  const Matrix input_gates = scratch.input.matrix(x.rows, gates_size());
  (*input_)(x, input_gates);
  ConstMatrix before = state.before;
  for (std::int64_t timestep = timesteps.begin; timestep < timesteps.end; ++timestep) {
    const std::int64_t first = timesteps.row(timestep, 0),
                       count = timesteps.ragged.timestep_size(timestep);
    const Matrix hidden = rows_of(state.hidden, first, count);
    step(constant(rows_of(input_gates, first, count)),
         {rows_of(before, 0, count), hidden, rows_of(state.cell, 0, count)}, scratch.recurrent);
    before = constant(hidden);
  }
}

ElmanCell::ElmanCell(std::shared_ptr<const Linear> input, std::shared_ptr<const Linear> recurrent,
                     CellOptions options)
    : Cell(std::move(input), std::move(recurrent), options) {
  expect_equal(recurrent_->out(), hidden_size(), "recurrent weight.shape[0]");
  expect_equal(input_->out(), hidden_size(), "input weight.shape[0]");
}

void ElmanCell::step(ConstMatrix input_gates, const CellState& state, Buffer& scratch) const {
  const Matrix recurrent = scratch.matrix(input_gates.rows, hidden_size());
  (*recurrent_)(state.before, recurrent);
  kernels().elman_gates(
      {input_gates, constant(recurrent), state.before, state.hidden, {}, options_});
}

GRUCell::GRUCell(std::shared_ptr<const Linear> input, std::shared_ptr<const Linear> recurrent,
                 std::shared_ptr<const Linear> candidate, CellOptions options)
    : Cell(std::move(input), std::move(recurrent), options), candidate_(std::move(candidate)) {
  const std::int64_t size = hidden_size();
  expect_equal(input_->out(), 3 * size, "input weight.shape[0]");
  expect_equal(recurrent_->out(), (candidate_ ? 2 : 3) * size, "recurrent weight.shape[0]");
  if (!candidate_) return;
  expect_equal(candidate_->out(), size, "candidate weight.shape[0]");
  expect_equal(candidate_->in(), size, "candidate weight.shape[1]");
}

void GRUCell::step(ConstMatrix input_gates, const CellState& state, Buffer& scratch) const {
  const std::int64_t rows = input_gates.rows, size = hidden_size();
  float* memory = scratch.floats(rows * size * 4);
  const Matrix recurrent{memory, rows, recurrent_->out()};
  (*recurrent_)(state.before, recurrent);
  const GatesStep step{input_gates, constant(recurrent), state.before, state.hidden, {}, options_};
  if (!candidate_) return kernels().gru_gates(step);

  const Matrix reset{memory + rows * size * 2, rows, size};
  const Matrix candidate{memory + rows * size * 3, rows, size};
  kernels().gru_reset(step, reset);
  (*candidate_)(constant(reset), candidate);
  kernels().gru_update(step, constant(candidate));
}

LSTMCell::LSTMCell(std::shared_ptr<const Linear> input, std::shared_ptr<const Linear> recurrent,
                   CellOptions options, Extras extras)
    : Cell(std::move(input), std::move(recurrent), options), extras_(std::move(extras)) {
  const Linear* projection = extras_.projection.get();
  const std::int64_t units = projection ? projection->in() : hidden_size();
  if (projection) expect_equal(projection->out(), hidden_size(), "projection weight.shape[0]");
  expect_equal(recurrent_->out(), 4 * units, "recurrent weight.shape[0]");
  expect_equal(input_->out(), 4 * units, "input weight.shape[0]");
  if (extras_.peepholes.empty()) return;
  expect_equal(std::int64_t(extras_.peepholes.size()), 3 * units, "peepholes.shape[0]");
  options_.peepholes = extras_.peepholes.data();
}

void LSTMCell::step(ConstMatrix input_gates, const CellState& state, Buffer& scratch) const {
  const std::int64_t rows = input_gates.rows, units = cell_size();
  float* memory = scratch.floats(rows * units * 5);
  const Matrix recurrent{memory, rows, 4 * units};
  (*recurrent_)(state.before, recurrent);
  const Matrix wide{memory + rows * units * 4, rows, units};
  const Matrix& hidden = extras_.projection ? wide : state.hidden;
  kernels().lstm_gates(
      {input_gates, constant(recurrent), constant(state.cell), hidden, state.cell, options_});
  if (!extras_.projection) return;
  (*extras_.projection)(constant(wide), state.hidden);
  kernels().clip(extras_.projection_clip, state.hidden);
}

}  // namespace attnengine
