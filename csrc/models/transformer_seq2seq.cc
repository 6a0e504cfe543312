#include <algorithm>

#include "core/expect.h"
#include "models/transformer.h"

namespace attnengine {
namespace {

// A source with room for the keys and values of every cross-attention, (layers, length, width).
std::shared_ptr<EncodedSource> new_source(const Run& run, ConstMatrix states, std::int64_t layers,
                                          std::int64_t width) {
  auto source = std::make_shared<EncodedSource>();
  const std::int64_t size = run.length * states.cols;
  source->length = run.length;
  source->size = states.cols;
  std::copy_n(states[run.first], size, source->states.floats(size));
  const float* keys = source->keys.floats(layers * run.length * width);
  source->tables.resize(layers);
  for (std::int64_t layer = 0; layer < layers; ++layer)
    for (std::int64_t t = 0; t < run.length; ++t)
      source->tables[layer].push_back(keys + (layer * run.length + t) * width);
  return source;
}

}  // namespace

TransformerSeq2Seq::TransformerSeq2Seq(std::shared_ptr<const TransformerEncoder> encoder,
                                       std::shared_ptr<const TransformerDecoder> decoder)
    : Seq2Seq(decoder), encoder_(std::move(encoder)), transformer_decoder_(std::move(decoder)) {
  if (!transformer_decoder_->stack().has_cross_attention())
    throw InvalidArgument("the decoder has no cross_attention, expected one to read the encoder");
  expect_equal(transformer_decoder_->stack().hidden_size(), encoder_->output_size(),
               "the decoder's hidden size");
}

Seq2Seq::Sources TransformerSeq2Seq::encode_sentences(const std::int32_t* tokens, std::int64_t rows,
                                                      const Ragged& ragged) const {
  const std::vector<TransformerLayer>& layers = transformer_decoder_->stack().layers;
  const auto num_layers = static_cast<std::int64_t>(layers.size());
  const std::int64_t width = layers.front().cross_attention.key_value->out();
  Buffer states_buffer, key_value_buffer;
  const Matrix states = states_buffer.matrix(rows, encoder_size());
  encoder_->run(tokens, ragged, states);

  std::vector<std::shared_ptr<EncodedSource>> sources(ragged.count());
  for (const Run& run : ragged.runs())
    sources[run.index] = new_source(run, constant(states), num_layers, width);
  const Matrix key_value = key_value_buffer.matrix(rows, width);
  for (std::int64_t layer = 0; layer < num_layers; ++layer) {
    (*layers[layer].cross_attention.key_value)(constant(states), key_value);
    for (const Run& run : ragged.runs()) {
      const std::int64_t size = run.length * key_value.cols;
      std::copy_n(key_value[run.first], size, sources[run.index]->keys.floats(0) + layer * size);
    }
  }
  return {sources.begin(), sources.end()};
}

}  // namespace attnengine
