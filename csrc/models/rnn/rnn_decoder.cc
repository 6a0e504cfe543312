#include "models/rnn/rnn_decoder.h"

#include <algorithm>
#include <string>

#include "core/expect.h"
#include "layers/columns.h"
#include "models/rnn/rnn_state.h"

namespace attnengine {
namespace {

std::int64_t longest_source(RnnState& state, const std::vector<RowRange>& ranges) {
  std::int64_t longest = 0;
  for (const RowRange& range : ranges)
    longest = std::max(longest, state.sequence(range.index).source->length);
  return longest;
}

}  // namespace

// Rows that no step before has to be finished for: what run_pass works on.
struct RnnDecoder::Pass {
  const Rows& rows;
  RnnState& state;
  Timesteps timesteps;
  std::int64_t longest;  // source positions, 0 without attention
  Matrix feed{}, input{}, weights{}, context{};

  // f(row, of) of every row: `of` is its index among the rows of the step.
  template <class F>
  void for_rows(F f) const {
    timesteps.for_rows([&](std::int64_t row, std::int64_t timestep, std::int64_t i) {
      f(row, timesteps.ragged.row(timestep, i));
    });
  }
};

RnnDecoder::RnnDecoder(RnnDecoderLayers layers, RnnDecoderOptions options,
                       std::int64_t encoder_size, bool with_source)
    : layers_(std::move(layers)),
      options_(std::move(options)),
      encoder_size_(encoder_size),
      with_source_(with_source) {
  check_parts();
  check_sizes();
  check_readout();
}

std::int64_t RnnDecoder::carried_size() const {
  return num_layers() * (hidden_size() + cell_size());
}

std::int64_t RnnDecoder::part_size(RnnDecoderOptions::Part part) const {
  switch (part) {
    case RnnDecoderOptions::Part::kHidden:
      return hidden_size();
    case RnnDecoderOptions::Part::kContext:
      return encoder_size_;
    case RnnDecoderOptions::Part::kEmbedding:
      return layers_.embedding->size();
  }
  return 0;
}

void RnnDecoder::check_parts() const {
  if (layers_.cells.empty()) throw InvalidArgument("cells is empty, expected at least one");
  for (std::size_t i = 0; i < layers_.cells.size(); ++i)
    check_cell(layers_.cells[i], "cells[" + std::to_string(i) + "]");
  if (layers_.transition) check_cell(layers_.transition, "transition");
  if (layers_.attention && !with_source_)
    throw InvalidArgument("with_source is False, expected True for a decoder with attention");
  if ((options_.query_previous || layers_.transition) && !layers_.attention)
    throw InvalidArgument(std::string(layers_.transition ? "transition" : "query_previous") +
                          " is given, expected a decoder with attention");
  if (options_.query_previous && layers_.transition)
    throw InvalidArgument("query_previous is True, expected False with a transition");
  if (options_.input_feeding && !layers_.readout)
    throw InvalidArgument("input_feeding is True, expected a readout layer that is fed back");
  if (options_.readout_inputs.empty())
    throw InvalidArgument("readout_inputs is empty, expected at least one");
}

void RnnDecoder::check_cell(const std::shared_ptr<const Cell>& cell,
                            const std::string& name) const {
  if (!cell) throw InvalidArgument(name + " is None, expected a cell");
  if ((cell->cell_size() > 0) != (cell_size() > 0))
    throw InvalidArgument(name + " is of another type than cells[0]: all must be LSTM, or none");
}

void RnnDecoder::check_sizes() const {
  if (layers_.attention) layers_.attention->check_sizes(hidden_size(), encoder_size_);
  std::int64_t input_size =
      layers_.embedding->size() + feed_size() + (options_.query_previous ? encoder_size_ : 0);
  const auto check = [&](const Cell& cell, const std::string& name) {
    expect_equal(cell.input_size(), input_size, "input size of " + name);
    expect_equal(cell.hidden_size(), hidden_size(), "hidden size of " + name);
    expect_equal(cell.cell_size(), cell_size(), "cell size of " + name);
  };
  for (std::size_t i = 0; i < layers_.cells.size(); ++i) {
    check(*layers_.cells[i], "decoder layer " + std::to_string(i));
    input_size = hidden_size();
  }
  input_size = encoder_size_;
  if (layers_.transition) check(*layers_.transition, "the decoder's transition");
}

void RnnDecoder::check_readout() const {
  std::int64_t parts = 0;
  for (const auto part : options_.readout_inputs) {
    if (part == RnnDecoderOptions::Part::kContext && !layers_.attention)
      throw InvalidArgument("readout_inputs has \"context\", expected a decoder with attention");
    parts += part_size(part);
  }
  const Readout* readout = layers_.readout.get();
  if (readout) expect_equal(readout->in(), parts, "readout weight.shape[1]");
  expect_equal(layers_.output->in(), readout ? readout->size() : parts, "output weight.shape[1]");
  expect_equal(layers_.embedding->vocab_size(), vocab_size(), "embedding weight.shape[0]");
}

std::unique_ptr<State> RnnDecoder::new_state() const {
  return std::make_unique<RnnState>(id(), with_source_, slot_size(), num_layers());
}

void RnnDecoder::run(const Rows& rows, const std::vector<RowRange>& ranges, State& base) const {
  auto& state = static_cast<RnnState&>(base);
  const Ragged ragged(ranges);
  const std::int64_t longest = layers_.attention ? longest_source(state, ranges) : 0;
  if (state.keep_alignment) state.attention.resize(rows.count, longest);

  const std::int64_t wanted = rows.number_wanted(state.output_rows);
  const Matrix outputs = state.outputs.matrix(wanted, layers_.output->in());

  const std::int64_t size = feeds_back() ? 1 : ragged.num_timesteps();
  for (std::int64_t timestep = 0; timestep < ragged.num_timesteps(); timestep += size) {
    Pass pass{rows, state, {ragged, timestep, timestep + size}, longest};
    run_pass(pass);
  }
  (*layers_.output)(constant(outputs), state.logits.matrix());
}

void RnnDecoder::run_pass(Pass& pass) const {
  const std::vector<RnnState::Layer>& layers = pass.state.layers;
  read_states(pass);
  if (options_.query_previous) attend(layers.back().before, pass);
  read_input(pass);
  run_cells(pass);
  if (layers_.attention && !options_.query_previous && !layers_.transition)
    attend(layers.back().hidden, pass);
  const Matrix readout = read_out(pass);
  write_states(pass, constant(readout));
  keep_results(pass, constant(readout));
}

void RnnDecoder::read_states(Pass& pass) const {
  RnnState& state = pass.state;
  const std::int64_t size = hidden_size(), sequences = pass.timesteps.sequences();
  for (std::int64_t layer = 0; layer < num_layers(); ++layer)
    state.layers[layer] = {state.before_buffers[layer].matrix(sequences, size),
                           state.cell_buffers[layer].matrix(sequences, cell_size()),
                           state.hidden_buffers[layer].matrix(pass.timesteps.rows(), size)};
  pass.feed = state.feed.matrix(sequences, feed_size());
  for (std::int64_t i = 0; i < sequences; ++i) {
    const RnnState::Sequence& sequence = state.sequence(pass.timesteps.ragged.ranges()[i].index);
    const float* from = state.zeros.data();
    if (!sequence.past.empty())
      from = state.slot(sequence.past.back());
    else if (sequence.source)
      from = sequence.source->initial.data();
    const auto read = [&](const Matrix& to) {
      std::copy_n(from, to.cols, to[i]);
      from += to.cols;
    };
    for (const RnnState::Layer& layer : state.layers) read(layer.before);
    for (const RnnState::Layer& layer : state.layers) read(layer.cell);
    read(pass.feed);
  }
}

void RnnDecoder::attend(Matrix query, Pass& pass) const {
  RnnState& state = pass.state;
  pass.weights = state.weights.matrix(pass.timesteps.rows(), pass.longest);
  pass.context = state.context.matrix(pass.timesteps.rows(), encoder_size_);
  state.sources.resize(pass.timesteps.rows());
  pass.timesteps.for_rows([&](std::int64_t row, std::int64_t, std::int64_t i) {
    const EncodedSource& source = *state.sequence(pass.timesteps.ragged.ranges()[i].index).source;
    const Buffer& keys = layers_.attention->projects_keys() ? source.keys : source.states;
    state.sources[row] = {keys.data(), source.states.data(), source.length};
  });
  layers_.attention->attend(constant(query), {{}, state.sources.data(), pass.weights, pass.context},
                            state.query);
}

void RnnDecoder::read_input(Pass& pass) const {
  const Embedding& embedding = *layers_.embedding;
  const Matrix x =
      pass.state.input.matrix(pass.timesteps.rows(), layers_.cells.front()->input_size());
  pass.input = x;
  pass.for_rows(
      [&](std::int64_t row, std::int64_t of) { embedding.read(pass.rows.tokens[of], x[row]); });
  if (options_.input_feeding) copy_columns(constant(pass.feed), x, embedding.size());
  if (options_.query_previous)
    copy_columns(constant(pass.context), x, embedding.size() + feed_size());
}

void RnnDecoder::run_cells(Pass& pass) const {
  RnnState& state = pass.state;
  ConstMatrix x = constant(pass.input);
  for (std::size_t i = 0; i < layers_.cells.size(); ++i) {
    const auto& [before, cell, hidden] = state.layers[i];
    const Cell* transition = i == 0 ? layers_.transition.get() : nullptr;
    const Matrix first = transition ? state.between.matrix(hidden.rows, hidden.cols) : hidden;
    layers_.cells[i]->run(pass.timesteps, x, {constant(before), first, cell}, state.cell);
    if (transition) {
      attend(first, pass);
      transition->run(pass.timesteps, constant(pass.context), {constant(first), hidden, cell},
                      state.cell);
    }
    x = constant(hidden);
  }
}

Matrix RnnDecoder::read_out(Pass& pass) const {
  RnnState& state = pass.state;
  const Readout* readout = layers_.readout.get();
  const Matrix parts =
      state.parts.matrix(pass.timesteps.rows(), readout ? readout->in() : layers_.output->in());
  std::int64_t first = 0;
  for (const auto kind : options_.readout_inputs) {
    const std::int64_t size = part_size(kind);
    const Matrix from = kind == RnnDecoderOptions::Part::kHidden    ? state.layers.back().hidden
                        : kind == RnnDecoderOptions::Part::kContext ? pass.context
                                                                    : pass.input;
    for (std::int64_t row = 0; row < parts.rows; ++row)
      std::copy_n(from[row], size, parts[row] + first);  // the input begins with the embedding
    first += size;
  }
  return readout ? (*readout)(constant(parts), state.readout, state.largest) : parts;
}

void RnnDecoder::write_states(Pass& pass, ConstMatrix readout) const {
  RnnState& state = pass.state;
  const Timesteps& timesteps = pass.timesteps;
  for (std::int64_t i = 0; i < timesteps.sequences(); ++i) {
    const RowRange& range = timesteps.ragged.ranges()[i];
    SlotHandle slot{};
    for (std::int64_t timestep = timesteps.begin; timestep < std::min(timesteps.end, range.length);
         ++timestep)
      slot = state.append(state.sequence(range.index));
    float* to = state.slot(slot);
    const std::int64_t last = timesteps.last_row(i);
    for (const RnnState::Layer& layer : state.layers)
      to = std::copy_n(layer.hidden[last], layer.hidden.cols, to);
    for (const RnnState::Layer& layer : state.layers)
      to = std::copy_n(layer.cell[i], layer.cell.cols, to);
    if (options_.input_feeding) std::copy_n(readout[last], readout.cols, to);
  }
}

void RnnDecoder::keep_results(Pass& pass, ConstMatrix readout) const {
  RnnState& state = pass.state;
  const std::int64_t size = layers_.output->in();
  float* outputs = state.outputs.floats(0);  // (wanted rows, size)
  pass.for_rows([&](std::int64_t row, std::int64_t of) {
    const std::int64_t output_row = state.output_rows[of];
    if (output_row >= 0) std::copy_n(readout[row], size, outputs + output_row * size);
    if (state.keep_alignment && layers_.attention)
      std::copy_n(pass.weights[row], pass.longest, state.attention.matrix()[of]);
  });
}

}  // namespace attnengine
