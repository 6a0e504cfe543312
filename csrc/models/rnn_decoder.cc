#include "models/rnn_decoder.h"

#include <algorithm>
#include <string>

#include "core/expect.h"
#include "layers/columns.h"

namespace attnengine {
namespace {

// The state of a sequence, and the scratch memory of a step.
struct RnnState : State {
  RnnState(std::int64_t decoder, bool with_source, std::int64_t slot_size, std::int64_t num_layers)
      : State(decoder, with_source, {/*keeps_past=*/false, slot_size}),
        zeros(slot_size, 0.0f),
        hidden_buffers(num_layers),
        cell_buffers(num_layers),
        hidden(num_layers),
        cell(num_layers) {}

  using State::append;
  using State::Sequence;

  Sequence& sequence(std::int64_t id) { return sequences_[id]; }

  // The floats of a slot: (slot_size,)
  float* slot(SlotHandle handle) { return pool_.slot(handle); }

  std::vector<float> zeros;               // (slot_size,) of a sequence without a past or a source
  std::vector<Buffer> hidden_buffers;     // (layers,) of (rows, hidden)
  std::vector<Buffer> cell_buffers;       // (layers,) of (rows, cell), LSTM only
  std::vector<Matrix> hidden, cell;       // (layers,) the same for the rows of this wave
  Buffer feed;                            // (rows, readout) of the step before
  Buffer input;                           // (rows, cell input)
  Buffer gates, recurrent;                // (rows, gates * units), what a cell needs
  Buffer query, weights;                  // (rows, key_dim), (rows, longest source)
  Buffer context;                         // (rows, encoder_size)
  Buffer parts;                           // (rows, readout inputs)
  Buffer readout, largest;                // (rows, readout units), (rows, readout) of maxout
  Buffer outputs;                         // (wanted rows, output input)
  std::vector<Source> sources;            // (rows,)
  std::vector<std::int64_t> output_rows;  // (rows of the step,) the row of logits, or -1
};

std::int64_t longest_source(RnnState& state, const std::vector<Run>& runs) {
  std::int64_t longest = 0;
  for (const Run& run : runs) longest = std::max(longest, state.sequence(run.index).source->length);
  return longest;
}

}  // namespace

// One row of every sequence that still has one: what step_wave works on.
struct RnnDecoder::Wave {
  const Rows& rows;
  RnnState& state;
  const Run* runs;  // (count,) longest first
  std::int64_t count;
  std::int64_t step;     // how many rows of each sequence came before
  std::int64_t longest;  // source positions, 0 without attention
  Matrix feed{}, input{}, weights{}, context{};

  std::int64_t row(std::int64_t i) const { return runs[i].first + step; }
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

void RnnDecoder::run(const Rows& rows, const std::vector<Run>& runs, State& base) const {
  auto& state = static_cast<RnnState&>(base);
  const Ragged ragged(runs);
  const std::int64_t longest = layers_.attention ? longest_source(state, runs) : 0;
  if (state.keep_attention) state.attention.resize(rows.count, longest);

  const std::int64_t wanted = rows.number_wanted(state.output_rows);
  const Matrix outputs = state.outputs.matrix(wanted, layers_.output->in());

  for (std::int64_t t = 0; t < ragged.num_waves(); ++t) {
    Wave wave{rows, state, ragged.runs().data(), ragged.wave_size(t), t, longest};
    step_wave(wave);
  }
  (*layers_.output)(constant(outputs), state.logits.matrix());
}

void RnnDecoder::step_wave(Wave& wave) const {
  const std::vector<Matrix>& hidden = wave.state.hidden;
  read_states(wave);
  if (options_.query_previous) attend(hidden.back(), wave);
  read_input(wave);
  run_cells(wave);
  if (layers_.attention && !options_.query_previous && !layers_.transition)
    attend(hidden.back(), wave);
  const Matrix readout = read_out(wave);
  write_states(wave, constant(readout));
  keep_results(wave, constant(readout));
}

void RnnDecoder::read_states(Wave& wave) const {
  RnnState& state = wave.state;
  const std::int64_t size = hidden_size();
  for (std::int64_t layer = 0; layer < num_layers(); ++layer) {
    state.hidden[layer] = state.hidden_buffers[layer].matrix(wave.count, size);
    state.cell[layer] = state.cell_buffers[layer].matrix(wave.count, cell_size());
  }
  wave.feed = state.feed.matrix(wave.count, feed_size());
  state.sources.resize(wave.count);
  for (std::int64_t i = 0; i < wave.count; ++i) {
    const RnnState::Sequence& sequence = state.sequence(wave.runs[i].index);
    const float* from = state.zeros.data();
    if (!sequence.past.empty())
      from = state.slot(sequence.past.back());
    else if (sequence.source)
      from = sequence.source->initial.data();
    for (const std::vector<Matrix>* part : {&state.hidden, &state.cell})
      for (const Matrix& to : *part) {
        std::copy_n(from, to.cols, to[i]);
        from += to.cols;
      }
    std::copy_n(from, wave.feed.cols, wave.feed[i]);
    if (!layers_.attention) continue;
    const EncodedSource& source = *sequence.source;
    const Buffer& keys = layers_.attention->projects_keys() ? source.keys : source.states;
    state.sources[i] = {keys.data(), source.states.data(), source.length};
  }
}

void RnnDecoder::attend(Matrix query, Wave& wave) const {
  wave.weights = wave.state.weights.matrix(wave.count, wave.longest);
  wave.context = wave.state.context.matrix(wave.count, encoder_size_);
  layers_.attention->attend(constant(query),
                            {{}, wave.state.sources.data(), wave.weights, wave.context},
                            wave.state.query);
}

void RnnDecoder::read_input(Wave& wave) const {
  const Embedding& embedding = *layers_.embedding;
  const Matrix x = wave.state.input.matrix(wave.count, layers_.cells.front()->input_size());
  wave.input = x;
  for (std::int64_t i = 0; i < wave.count; ++i)
    std::copy_n(embedding[wave.rows.tokens[wave.row(i)]], embedding.size(), x[i]);
  if (options_.input_feeding) copy_columns(constant(wave.feed), x, embedding.size());
  if (options_.query_previous)
    copy_columns(constant(wave.context), x, embedding.size() + feed_size());
}

void RnnDecoder::run_cells(Wave& wave) const {
  Matrix x = wave.input;
  for (std::size_t layer = 0; layer < layers_.cells.size(); ++layer) {
    run_cell(*layers_.cells[layer], constant(x), layer, wave);
    x = wave.state.hidden[layer];
    if (layer > 0 || !layers_.transition) continue;
    attend(x, wave);
    run_cell(*layers_.transition, constant(wave.context), layer, wave);
  }
}

void RnnDecoder::run_cell(const Cell& cell, ConstMatrix x, std::size_t layer, Wave& wave) const {
  RnnState& state = wave.state;
  const Matrix gates = state.gates.matrix(wave.count, cell.gates_size());
  cell.project(x, gates);
  cell.step(constant(gates), {state.hidden[layer], state.cell[layer]}, state.recurrent);
}

Matrix RnnDecoder::read_out(Wave& wave) const {
  RnnState& state = wave.state;
  const Readout* readout = layers_.readout.get();
  const Matrix parts =
      state.parts.matrix(wave.count, readout ? readout->in() : layers_.output->in());
  std::int64_t first = 0;
  for (const auto part : options_.readout_inputs) {
    const std::int64_t size = part_size(part);
    for (std::int64_t i = 0; i < wave.count; ++i) {
      const float* from = part == RnnDecoderOptions::Part::kHidden    ? state.hidden.back()[i]
                          : part == RnnDecoderOptions::Part::kContext ? wave.context[i]
                                                                      : wave.input[i];
      std::copy_n(from, size, parts[i] + first);  // the input begins with the embedding
    }
    first += size;
  }
  return readout ? (*readout)(constant(parts), state.readout, state.largest) : parts;
}

void RnnDecoder::write_states(Wave& wave, ConstMatrix readout) const {
  RnnState& state = wave.state;
  for (std::int64_t i = 0; i < wave.count; ++i) {
    float* to = state.slot(state.append(state.sequence(wave.runs[i].index)));
    for (const std::vector<Matrix>* part : {&state.hidden, &state.cell})
      for (const Matrix& from : *part) to = std::copy_n(from[i], from.cols, to);
    if (options_.input_feeding) std::copy_n(readout[i], readout.cols, to);
  }
}

void RnnDecoder::keep_results(Wave& wave, ConstMatrix readout) const {
  RnnState& state = wave.state;
  const std::int64_t size = layers_.output->in();
  float* outputs = state.outputs.floats(0);  // (wanted rows, size)
  for (std::int64_t i = 0; i < wave.count; ++i) {
    const std::int64_t output_row = state.output_rows[wave.row(i)];
    if (output_row >= 0) std::copy_n(readout[i], size, outputs + output_row * size);
    if (state.keep_attention && layers_.attention)
      std::copy_n(wave.weights[i], wave.longest, state.attention.matrix()[wave.row(i)]);
  }
}

}  // namespace attnengine
