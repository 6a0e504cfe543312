#include "models/rnn/rnn_seq2seq.h"

#include <algorithm>

#include "core/expect.h"

namespace attnengine {

RnnSeq2Seq::RnnSeq2Seq(std::shared_ptr<const RnnEncoder> encoder, Bridge bridge,
                       std::shared_ptr<const RnnDecoder> decoder)
    : Seq2Seq(decoder),
      encoder_(std::move(encoder)),
      bridge_(std::move(bridge)),
      rnn_decoder_(std::move(decoder)) {
  if (rnn_decoder_->attention())
    expect_equal(rnn_decoder_->encoder_size(), encoder_->output_size(),
                 "the decoder's encoder_size");
  const std::int64_t layers = rnn_decoder_->num_layers(), size = rnn_decoder_->hidden_size();
  if (rnn_decoder_->carried_size() != layers * size)
    expect_equal(rnn_decoder_->carried_size(), 2 * layers * size,
                 "size of a state that a bridge starts");
  if (bridge_.input != Bridge::Input::kZero)
    expect_equal(encoder_->output_size(), encoder_->layers().back().output_size(),
                 "size of an encoder's states that a bridge reads");
  bridge_.check_sizes(layers, size, encoder_->layers());
}

Seq2Seq::Sources RnnSeq2Seq::encode_sentences(const std::int32_t* tokens, std::int64_t rows,
                                              const Ragged& ragged) const {
  const std::int64_t size = encoder_->output_size();
  Buffer states_buffer, keys_buffer, initial_buffer;
  const Matrix states = states_buffer.matrix(rows, size);
  std::vector<LayerStates> finals = encoder_->start(ragged.count());
  encoder_->run(tokens, ragged, states, finals);

  const AttentionScore* attention = rnn_decoder_->attention();
  const bool project = attention && attention->projects_keys();
  const Matrix keys = keys_buffer.matrix(rows, project ? attention->key_dim(size) : 0);
  if (project) attention->project_keys(constant(states), keys);

  const std::int64_t layers = rnn_decoder_->num_layers(), hidden = rnn_decoder_->hidden_size();
  const Matrix initial = initial_buffer.matrix(ragged.count(), 2 * layers * hidden);
  bridge_.start(ragged, constant(states), finals, layers, hidden, initial);

  Sources sources(ragged.count());
  for (const RowRange& range : ragged.ranges()) {
    auto source = std::make_shared<EncodedSource>();
    source->length = range.length;
    source->size = size;
    std::copy_n(states[range.first], range.length * size,
                source->states.floats(range.length * size));
    std::copy_n(keys[range.first], range.length * keys.cols,
                source->keys.floats(range.length * keys.cols));
    float* slot = source->initial.floats(rnn_decoder_->slot_size());
    std::fill_n(slot, rnn_decoder_->slot_size(), 0.0f);
    std::copy_n(initial[range.index], rnn_decoder_->carried_size(), slot);
    sources[range.index] = std::move(source);
  }
  return sources;
}

}  // namespace attnengine
