#include "layers/rnn_cell.h"

#include "core/expect.h"
#include "kernels/kernels.h"

namespace attnengine {

Cell::Cell(std::shared_ptr<const Linear> input, std::shared_ptr<const Linear> recurrent,
           std::int64_t gates)
    : input_(std::move(input)), recurrent_(std::move(recurrent)) {
  expect_equal(recurrent_->out(), gates * recurrent_->in(), "recurrent weight.shape[0]");
  expect_equal(input_->out(), recurrent_->out(), "input weight.shape[0]");
}

void Cell::step(ConstMatrix input_gates, const CellState& state, Buffer& scratch) const {
  const Matrix recurrent = scratch.matrix(input_gates.rows, gates_size());
  (*recurrent_)(constant(state.hidden), recurrent);
  const Matrix& carried = has_cell() ? state.cell : state.hidden;
  apply_gates({input_gates, constant(recurrent), constant(carried), state.hidden, state.cell});
}

void ElmanCell::apply_gates(const GatesStep& step) const {
  kernels().elman_gates(step, nonlinearity_);
}

void GRUCell::apply_gates(const GatesStep& step) const { kernels().gru_gates(step); }

void LSTMCell::apply_gates(const GatesStep& step) const { kernels().lstm_gates(step); }

}  // namespace attnengine
