#include "models/rnn_encoder.h"

#include <algorithm>
#include <string>

#include "core/expect.h"

namespace attnengine {
namespace {

void check_layer(const RnnLayer& layer, std::int64_t input_size, std::size_t index) {
  const std::string name = "input size of encoder layer " + std::to_string(index);
  expect_equal(layer.forward->input_size(), input_size, name);
  if (!layer.backward) return;
  expect_equal(layer.backward->input_size(), input_size, name + " (backward)");
  expect_equal(layer.backward->hidden_size(), layer.forward->hidden_size(),
               "hidden size of backward encoder layer " + std::to_string(index));
}

}  // namespace

RnnEncoder::RnnEncoder(std::shared_ptr<const Embedding> embedding, std::vector<RnnLayer> layers,
                       std::vector<float> pooling_query)
    : Encoder(std::move(pooling_query)),
      embedding_(std::move(embedding)),
      layers_(std::move(layers)) {
  if (layers_.empty()) throw InvalidArgument("layers is empty, expected at least one");
  std::int64_t input_size = embedding_->size();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    check_layer(layers_[i], input_size, i);
    input_size = layers_[i].output_size();
  }
  check_pooling_query();
}

void RnnEncoder::run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
                     std::vector<FinalStates>& finals) const {
  Buffer buffers[2];  // the input of a layer and its output take turns
  const std::int64_t rows = states.rows;
  Matrix x = buffers[0].matrix(rows, embedding_->size());
  for (std::int64_t row = 0; row < rows; ++row)
    std::copy_n((*embedding_)[tokens[row]], x.cols, x[row]);

  finals.resize(layers_.size());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const bool top = i + 1 == layers_.size();
    const Matrix y = top ? states : buffers[(i + 1) % 2].matrix(rows, layers_[i].output_size());
    run_layer(layers_[i], ragged, constant(x), y, finals[i]);
    x = y;
  }
}

void RnnEncoder::run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
                     Matrix last) const {
  std::vector<FinalStates> finals;
  run(tokens, ragged, states, finals);
  std::copy_n(finals.back().hidden.data(), last.rows * last.cols, last.data);
}

}  // namespace attnengine
