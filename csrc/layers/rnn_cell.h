#pragma once

#include <memory>

#include "core/buffer.h"
#include "layers/linear.h"

namespace attnengine {

// What a cell carries from step to step.
struct CellState {
  Matrix hidden;  // (rows, hidden)
  Matrix cell;    // (rows, hidden), LSTM only
};

// A recurrent cell: two products, then its gates.
class Cell {
 public:
  // input (gates * hidden, input_size), recurrent (gates * hidden, hidden)
  Cell(std::shared_ptr<const Linear> input, std::shared_ptr<const Linear> recurrent,
       std::int64_t gates);
  virtual ~Cell() = default;

  std::int64_t input_size() const { return input_->in(); }
  std::int64_t hidden_size() const { return recurrent_->in(); }
  std::int64_t gates_size() const { return recurrent_->out(); }
  virtual bool has_cell() const { return false; }

  // The part of a step that does not wait for the step before: x (rows, input_size) ->
  // input_gates (rows, gates * hidden).
  void project(ConstMatrix x, Matrix input_gates) const { (*input_)(x, input_gates); }

  // One step of every row, state in place; `scratch` holds the recurrent products.
  void step(ConstMatrix input_gates, const CellState& state, Buffer& scratch) const;

 private:
  virtual void apply_gates(const GatesStep& step) const = 0;

  std::shared_ptr<const Linear> input_;
  std::shared_ptr<const Linear> recurrent_;
};

class ElmanCell : public Cell {
 public:
  ElmanCell(std::shared_ptr<const Linear> input, std::shared_ptr<const Linear> recurrent,
            Activation nonlinearity)
      : Cell(std::move(input), std::move(recurrent), 1), nonlinearity_(nonlinearity) {}

 private:
  void apply_gates(const GatesStep& step) const override;

  Activation nonlinearity_;
};

// PyTorch's form: reset gate after the product, gates r, z, n.
class GRUCell : public Cell {
 public:
  GRUCell(std::shared_ptr<const Linear> input, std::shared_ptr<const Linear> recurrent)
      : Cell(std::move(input), std::move(recurrent), 3) {}

 private:
  void apply_gates(const GatesStep& step) const override;
};

// Gates i, f, g, o.
class LSTMCell : public Cell {
 public:
  LSTMCell(std::shared_ptr<const Linear> input, std::shared_ptr<const Linear> recurrent)
      : Cell(std::move(input), std::move(recurrent), 4) {}

  bool has_cell() const override { return true; }

 private:
  void apply_gates(const GatesStep& step) const override;
};

}  // namespace attnengine
