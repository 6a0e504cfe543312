#pragma once

#include <limits>
#include <memory>
#include <vector>

#include "core/buffer.h"
#include "kernels/steps/gates.h"
#include "layers/linear.h"
#include "layers/ragged.h"

namespace attnengine {

// What a cell carries from step to step.
struct CellState {
  ConstMatrix before;  // (sequences, hidden) what the first step goes on from
  Matrix hidden;       // (rows, hidden) out, of every step; elsewhere
  Matrix cell;         // (sequences, cell) in place, LSTM only
};

struct CellScratch {
  Buffer input;      // (rows, gates * units)
  Buffer recurrent;  // (sequences, gates * units) and more, see the cells
};

// A recurrent cell: two products, then its gates.
class Cell {
 public:
  // input (gates * units, input_size), recurrent (gates * units, hidden)
  Cell(std::shared_ptr<const Linear> input, std::shared_ptr<const Linear> recurrent,
       CellOptions options)
      : input_(std::move(input)), recurrent_(std::move(recurrent)), options_(options) {}
  virtual ~Cell() = default;

  std::int64_t input_size() const { return input_->in(); }
  std::int64_t hidden_size() const { return recurrent_->in(); }
  std::int64_t gates_size() const { return input_->out(); }
  virtual std::int64_t cell_size() const { return 0; }  // of an LSTM's cell state

  // A step for each timestep of x (rows, input_size). What does not wait for the step before, the
  // product with x, is done at once.
  void run(const Timesteps& timesteps, ConstMatrix x, const CellState& state,
           CellScratch& scratch) const;

 protected:
  // One step of every sequence: input_gates (sequences, gates * units), x @ weight_ih.T + bias_ih;
  // `scratch` holds the recurrent products.
  virtual void step(ConstMatrix input_gates, const CellState& state, Buffer& scratch) const = 0;

  std::shared_ptr<const Linear> input_;
  std::shared_ptr<const Linear> recurrent_;
  CellOptions options_;
};

class ElmanCell : public Cell {
 public:
  ElmanCell(std::shared_ptr<const Linear> input, std::shared_ptr<const Linear> recurrent,
            CellOptions options);

 protected:
  void step(ConstMatrix input_gates, const CellState& state, Buffer& scratch) const override;
};

// Gates r, z, n.
class GRUCell : public Cell {
 public:
  // Without `candidate` PyTorch's form: reset gate after the product, recurrent
  // (3 * hidden, hidden). With it reset gate before the product: recurrent (2 * hidden, hidden) of
  // r and z, candidate (hidden, hidden) of n.
  GRUCell(std::shared_ptr<const Linear> input, std::shared_ptr<const Linear> recurrent,
          std::shared_ptr<const Linear> candidate, CellOptions options);

 protected:
  void step(ConstMatrix input_gates, const CellState& state, Buffer& scratch) const override;

 private:
  std::shared_ptr<const Linear> candidate_;
};

// Gates i, f, g, o.
class LSTMCell : public Cell {
 public:
  struct Extras {
    std::vector<float> peepholes;              // (3 * cell,) of i, f and o, or empty
    std::shared_ptr<const Linear> projection;  // (hidden, cell) of what the gates give out, or null
    float projection_clip = std::numeric_limits<float>::infinity();  // of what comes out of it
  };

  LSTMCell(std::shared_ptr<const Linear> input, std::shared_ptr<const Linear> recurrent,
           CellOptions options, Extras extras);

  std::int64_t cell_size() const override { return gates_size() / 4; }

 protected:
  void step(ConstMatrix input_gates, const CellState& state, Buffer& scratch) const override;

 private:
  Extras extras_;
};

}  // namespace attnengine
