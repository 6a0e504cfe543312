#include "models/rnn/rnn_encoder.h"

#include <algorithm>
#include <limits>
#include <string>

#include "core/expect.h"
#include "core/parallel.h"
#include "models/sentences.h"

namespace attnengine {

RnnEncoderState::RnnEncoderState(std::shared_ptr<const RnnEncoder> of, std::int64_t count)
    : encoder(std::move(of)), sentences(count) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (count < 1 || count > kMost)
    throw InvalidArgument("sentences is " + std::to_string(count) + ", expected 1 to " +
                          std::to_string(kMost));
  layers = encoder->start(count);
}

RnnEncoder::RnnEncoder(std::shared_ptr<const Embedding> embedding, std::vector<RnnLayer> layers,
                       std::vector<float> pooling_query, bool all_states)
    : Encoder(std::move(pooling_query)),
      embedding_(std::move(embedding)),
      layers_(std::move(layers)),
      all_states_(all_states) {
  if (layers_.empty()) throw InvalidArgument("layers is empty, expected at least one");
  std::int64_t input_size = embedding_->size();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    check_layer(i, input_size);
    input_size = layers_[i].output_size();
  }
  check_pooling_query();
}

void RnnEncoder::check_layer(std::size_t index, std::int64_t input_size) const {
  const RnnLayer& layer = layers_[index];
  const std::string name = "encoder layer " + std::to_string(index);
  expect_equal(layer.input_size(), input_size, "input size of " + name);
  if (layer.skip) expect_equal(layer.output_size(), input_size, "output size of " + name);
  if (!layer.backward) return;
  expect_equal(layer.backward->input_size(), layer.forward->input_size(),
               "input size of backward " + name);
  expect_equal(layer.backward->hidden_size(), layer.forward->hidden_size(),
               "hidden size of backward " + name);
  expect_equal(layer.backward->cell_size(), layer.forward->cell_size(),
               "cell size of backward " + name);
}

std::int64_t RnnEncoder::output_size() const {
  if (!all_states_) return layers_.back().output_size();
  std::int64_t size = embedding_->size();
  for (const RnnLayer& layer : layers_) size += layer.output_size();
  return size;
}

std::vector<LayerStates> RnnEncoder::start(std::int64_t sentences) const {
  std::vector<LayerStates> states;
  for (const RnnLayer& layer : layers_) states.push_back(zero_states(layer, sentences));
  return states;
}

void RnnEncoder::run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
                     std::vector<LayerStates>& carried) const {
  Buffer buffers[2];  // the input of a layer and its output take turns
  const Timesteps timesteps(ragged);
  Matrix x = buffers[0].matrix(states.rows, embedding_->size());
  timesteps.for_rows([&](std::int64_t row, std::int64_t timestep, std::int64_t i) {
    embedding_->read(tokens[ragged.row(timestep, i)], x[row]);
  });
  std::int64_t column = 0;
  const auto give_out = [&] {
    timesteps.for_rows([&](std::int64_t row, std::int64_t timestep, std::int64_t i) {
      std::copy_n(x[row], x.cols, states[ragged.row(timestep, i)] + column);
    });
    column += x.cols;
  };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (all_states_) give_out();
    const Matrix y = buffers[(i + 1) % 2].matrix(states.rows, layers_[i].output_size());
    run_layer(layers_[i], ragged, constant(x), y, carried[i]);
    x = y;
  }
  give_out();
}

void RnnEncoder::hidden_states(const std::int32_t* tokens, std::int64_t rows,
                               const std::int64_t* lengths, RnnEncoderState& state,
                               Matrix states) const {
  if (state.encoder.get() != this)
    throw InvalidArgument("state is of another model, expected one of this");
  const Ragged ragged =
      checked_sentences(tokens, rows, lengths, state.sentences, vocab_size(), max_positions());
  const ThreadScope threads(num_threads());
  run(tokens, ragged, states, state.layers);
}

void RnnEncoder::run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
                     Matrix last) const {
  std::vector<LayerStates> carried = start(ragged.count());
  run(tokens, ragged, states, carried);
  last_states(ragged, constant(states), last);
}

// Takes the last state of the forward direction and the first of the backward direction for each
// sentence: there each direction has read everything.
void RnnEncoder::last_states(const Ragged& ragged, ConstMatrix states, Matrix last) const {
  for (const RowRange& range : ragged.ranges()) {
    const float* end = states[range.first + range.length - 1];
    std::copy_n(end, states.cols, last[range.index]);
    std::int64_t column = all_states_ ? embedding_->size() : 0;
    for (const RnnLayer& layer : layers_) {
      const std::int64_t size = layer.forward->hidden_size();
      if (!all_states_ && &layer != &layers_.back()) continue;
      if (layer.backward)
        std::copy_n(states[range.first] + column + size, size, last[range.index] + column + size);
      column += layer.output_size();
    }
  }
}

}  // namespace attnengine
