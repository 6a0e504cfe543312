#include "layers/rnn_layer.h"

#include <algorithm>

#include "layers/columns.h"

namespace attnengine {
namespace {

struct Direction {
  const Cell& cell;
  bool reverse;
  int index;            // 0 or 1: its place in states and carried states
  std::int64_t of;      // directions of the layer
  std::int64_t column;  // the first one that it reads

  std::int64_t size() const { return cell.hidden_size(); }
  std::int64_t cell_size() const { return cell.cell_size(); }
};

// The row that a sequence feeds at step `wave`.
std::int64_t row_of(const Run& run, std::int64_t wave, bool reverse) {
  return run.first + (reverse ? run.length - 1 - wave : wave);
}

// Copies between the direction's columns of what is carried, by sequence, and its own rows, longest
// first.
struct Carried {
  const Direction& direction;
  const Ragged& ragged;

  void read(Buffer& from, std::int64_t size, float* to) const {
    each(from, size,
         [=](float* carried, std::int64_t i) { std::copy_n(carried, size, to + i * size); });
  }
  void write(const float* from, std::int64_t size, Buffer& to) const {
    each(to, size,
         [=](float* carried, std::int64_t i) { std::copy_n(from + i * size, size, carried); });
  }

 private:
  template <class F>
  void each(Buffer& buffer, std::int64_t size, F f) const {
    const Matrix carried = buffer.matrix(ragged.count(), direction.of * size);
    for (std::int64_t i = 0; i < ragged.count(); ++i)
      f(carried[ragged.runs()[i].index] + direction.index * size, i);
  }
};

// The columns of x that the direction reads, times its weight: (rows, gates)
void project(const Direction& direction, ConstMatrix x, Matrix projected) {
  const std::int64_t size = direction.cell.input_size();
  if (size == x.cols) return direction.cell.project(x, projected);
  Buffer buffer;
  const Matrix half = buffer.matrix(x.rows, size);
  for (std::int64_t row = 0; row < x.rows; ++row)
    std::copy_n(x[row] + direction.column, size, half[row]);
  direction.cell.project(constant(half), projected);
}

void run_direction(const Direction& direction, const Ragged& ragged, ConstMatrix x, Matrix states,
                   LayerStates& carried) {
  const Cell& cell = direction.cell;
  const std::int64_t size = direction.size(), cell_size = direction.cell_size();
  Buffer projected_buffer, wave_buffer, hidden_buffer, cell_buffer, scratch;
  const Matrix projected = projected_buffer.matrix(x.rows, cell.gates_size());
  project(direction, x, projected);
  float* hidden = hidden_buffer.floats(ragged.count() * size);     // (count, size)
  float* memory = cell_buffer.floats(ragged.count() * cell_size);  // (count, cell_size)
  const Carried rows_of{direction, ragged};
  rows_of.read(carried.hidden, size, hidden);
  rows_of.read(carried.cell, cell_size, memory);

  for (std::int64_t wave = 0; wave < ragged.num_waves(); ++wave) {
    const std::int64_t rows = ragged.wave_size(wave);
    const Matrix gates = wave_buffer.matrix(rows, cell.gates_size());
    for (std::int64_t i = 0; i < rows; ++i) {
      const float* from = projected[row_of(ragged.runs()[i], wave, direction.reverse)];
      std::copy(from, from + gates.cols, gates[i]);
    }
    cell.step(constant(gates), {{hidden, rows, size}, {memory, rows, cell_size}}, scratch);
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t row = row_of(ragged.runs()[i], wave, direction.reverse);
      std::copy_n(hidden + i * size, size, states[row] + direction.index * size);
    }
  }
  rows_of.write(hidden, size, carried.hidden);
  rows_of.write(memory, cell_size, carried.cell);
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
  const std::int64_t of = layer.directions();
  run_direction({*layer.forward, false, 0, of, 0}, ragged, x, states, carried);
  const std::int64_t second = layer.separate ? layer.forward->input_size() : 0;
  if (layer.backward)
    run_direction({*layer.backward, true, 1, of, second}, ragged, x, states, carried);
  if (layer.skip) add(x, states);
}

}  // namespace attnengine
