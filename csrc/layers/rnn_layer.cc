#include "layers/rnn_layer.h"

#include <algorithm>

namespace attnengine {
namespace {

struct Direction {
  const Cell& cell;
  bool reverse;
  int index;  // 0 or 1: its place in states and final states
};

// The row that a sequence feeds at step `wave`.
std::int64_t row_of(const Run& run, std::int64_t wave, bool reverse) {
  return run.first + (reverse ? run.length - 1 - wave : wave);
}

void run_direction(const Direction& direction, const Ragged& ragged, ConstMatrix x, Matrix states,
                   FinalStates& final) {
  const Cell& cell = direction.cell;
  const std::int64_t count = ragged.count(), size = cell.hidden_size(),
                     cell_size = cell.cell_size();
  Buffer projected_buffer, wave_buffer, hidden_buffer, cell_buffer, recurrent;
  const Matrix projected = projected_buffer.matrix(x.rows, cell.gates_size());
  cell.project(x, projected);
  float* hidden = hidden_buffer.floats(count * size);      // (count, size), longest first
  float* carried = cell_buffer.floats(count * cell_size);  // (count, cell_size), the same
  std::fill_n(hidden, count * size, 0.0f);
  std::fill_n(carried, count * cell_size, 0.0f);

  for (std::int64_t wave = 0; wave < ragged.num_waves(); ++wave) {
    const std::int64_t rows = ragged.wave_size(wave);
    const Matrix gates = wave_buffer.matrix(rows, cell.gates_size());
    for (std::int64_t i = 0; i < rows; ++i) {
      const float* from = projected[row_of(ragged.runs()[i], wave, direction.reverse)];
      std::copy(from, from + gates.cols, gates[i]);
    }
    cell.step(constant(gates), {{hidden, rows, size}, {carried, rows, cell_size}}, recurrent);
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t row = row_of(ragged.runs()[i], wave, direction.reverse);
      std::copy_n(hidden + i * size, size, states[row] + direction.index * size);
    }
  }
  const std::int64_t directions = states.cols / size;
  const Matrix final_hidden = final.hidden.matrix(count, states.cols);
  const Matrix final_cell = final.cell.matrix(count, directions * cell_size);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t sequence = ragged.runs()[i].index;
    std::copy_n(hidden + i * size, size, final_hidden[sequence] + direction.index * size);
    std::copy_n(carried + i * cell_size, cell_size,
                final_cell[sequence] + direction.index * cell_size);
  }
}

}  // namespace

void run_layer(const RnnLayer& layer, const Ragged& ragged, ConstMatrix x, Matrix states,
               FinalStates& final) {
  run_direction({*layer.forward, false, 0}, ragged, x, states, final);
  if (layer.backward) run_direction({*layer.backward, true, 1}, ragged, x, states, final);
}

}  // namespace attnengine
