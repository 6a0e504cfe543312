#include "layers/rnn_layer.h"

#include <algorithm>

#include "layers/columns.h"

namespace attnengine {
namespace {

struct Direction {
  const Cell& cell;
  bool reverse;
  std::int64_t index;   // 0 or 1: its place in states and carried states
  std::int64_t of;      // directions of the layer
  std::int64_t column;  // the first one that it reads

  // The row of the layer that the i-th longest sequence is at in a timestep.
  std::int64_t row(const Timesteps& timesteps, std::int64_t timestep, std::int64_t i) const {
    return timesteps.row(reverse ? timesteps.ragged.ranges()[i].length - 1 - timestep : timestep,
                         i);
  }

  // Its part of what is carried for the i-th longest sequence.
  float* carried(Buffer& buffer, const Ragged& ragged, std::int64_t size, std::int64_t i) const {
    const Matrix all = buffer.matrix(ragged.count(), of * size);
    return all[ragged.ranges()[i].index] + index * size;
  }
};

// What the direction reads, in the order of its own timesteps: (rows, input_size)
ConstMatrix read(const Direction& direction, const Timesteps& timesteps, ConstMatrix x,
                 Buffer& buffer) {
  const std::int64_t size = direction.cell.input_size();
  if (!direction.reverse && size == x.cols) return x;
  const Matrix own = buffer.matrix(x.rows, size);
  timesteps.for_rows([&](std::int64_t row, std::int64_t timestep, std::int64_t i) {
    std::copy_n(x[direction.row(timesteps, timestep, i)] + direction.column, size, own[row]);
  });
  return constant(own);
}

void run_direction(const Direction& direction, const Timesteps& timesteps, ConstMatrix x,
                   Matrix states, LayerStates& carried) {
  const Ragged& ragged = timesteps.ragged;
  const std::int64_t size = direction.cell.hidden_size(), cell_size = direction.cell.cell_size();
  Buffer x_buffer, before_buffer, cell_buffer, own_buffer;
  CellScratch scratch;
  const Matrix before = before_buffer.matrix(ragged.count(), size);
  const Matrix cell = cell_buffer.matrix(ragged.count(), cell_size);
  const Matrix own = direction.of == 1 ? states : own_buffer.matrix(x.rows, size);
  const auto hidden_of = [&](std::int64_t i) {
    return direction.carried(carried.hidden, ragged, size, i);
  };
  const auto cell_of = [&](std::int64_t i) {
    return direction.carried(carried.cell, ragged, cell_size, i);
  };
  for (std::int64_t i = 0; i < ragged.count(); ++i) {
    std::copy_n(hidden_of(i), size, before[i]);
    std::copy_n(cell_of(i), cell_size, cell[i]);
  }
  direction.cell.run(timesteps, read(direction, timesteps, x, x_buffer),
                     {constant(before), own, cell}, scratch);
  for (std::int64_t i = 0; i < ragged.count(); ++i) {
    std::copy_n(own[timesteps.last_row(i)], size, hidden_of(i));
    std::copy_n(cell[i], cell_size, cell_of(i));
  }
  if (direction.of == 1) return;
  timesteps.for_rows([&](std::int64_t row, std::int64_t timestep, std::int64_t i) {
    std::copy_n(own[row], size,
                states[direction.row(timesteps, timestep, i)] + direction.index * size);
  });
}

}  // namespace

LayerStates zero_states(const RnnLayer& layer, std::int64_t sequences) {
  LayerStates states;
  const std::int64_t cells = layer.directions() * layer.forward->cell_size();
  std::fill_n(states.hidden.floats(sequences * layer.output_size()),
              sequences * layer.output_size(), 0.0f);
  std::fill_n(states.cell.floats(sequences * cells), sequences * cells, 0.0f);
  return states;
}

void run_layer(const RnnLayer& layer, const Ragged& ragged, ConstMatrix x, Matrix states,
               LayerStates& carried) {
  const Timesteps timesteps(ragged);
  const std::int64_t of = layer.directions();
  run_direction({*layer.forward, false, 0, of, 0}, timesteps, x, states, carried);
  const std::int64_t second = layer.separate ? layer.forward->input_size() : 0;
  if (layer.backward)
    run_direction({*layer.backward, true, 1, of, second}, timesteps, x, states, carried);
  if (layer.skip) add(x, states);
}

}  // namespace attnengine
