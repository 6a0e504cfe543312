#include "models/transformer/speech.h"

#include <algorithm>
#include <limits>

#include "core/expect.h"
#include "core/parallel.h"
#include "models/sentences.h"

namespace attnengine {

SpeechEncoder::SpeechEncoder(std::vector<Convolution> convolutions, Activation activation,
                             TransformerStack stack)
    : convolutions_(std::move(convolutions)), activation_(activation), stack_(std::move(stack)) {
  if (convolutions_.empty()) throw InvalidArgument("convolutions is empty, expected at least one");
  for (std::size_t i = 1; i < convolutions_.size(); ++i)
    expect_equal(convolutions_[i].in(), convolutions_[i - 1].out(), "channels of a convolution");
  if (stack_.embedding) throw InvalidArgument("the stack has an embedding, expected none");
  stack_.check_sizes();
  expect_equal(convolutions_.back().out(), stack_.embedding_size(),
               "channels of the last convolution");
  if (stack_.has_cross_attention())
    throw InvalidArgument("a layer of the encoder has cross_attention, expected none");
}

std::int64_t SpeechEncoder::max_frames() const {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  std::int64_t frames = stack_.max_positions;
  for (const Convolution& convolution : convolutions_)
    frames = std::min(frames, kMost / convolution.stride()) * convolution.stride();
  return frames;
}

std::int64_t SpeechEncoder::num_states(std::int64_t frames) const {
  for (const Convolution& convolution : convolutions_) frames = convolution.out_rows(frames);
  return frames;
}

void SpeechEncoder::convolve(ConstMatrix frames, Matrix out, Buffer* scratch) const {
  ConstMatrix x = frames;
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    const Convolution& convolution = convolutions_[i];
    const bool is_last = i + 1 == convolutions_.size();
    const Matrix y =
        is_last ? out : scratch[1 + i % 2].matrix(convolution.out_rows(x.rows), convolution.out());
    convolution(x, y, activation_, scratch[0]);
    x = constant(y);
  }
}

void SpeechEncoder::run(ConstMatrix frames, const Ragged& recordings, const Ragged& sentences,
                        Matrix states) const {
  std::vector<std::int64_t> firsts(sentences.count());  // of each recording's states
  for (const RowRange& range : sentences.ranges()) firsts[range.index] = range.first;
  const auto embed = [&](const std::int64_t* positions, TransformerScratch& scratch) {
    Buffer buffers[3];
    const Matrix x = stack_.reserve(states.rows, scratch);
    for (const RowRange& range : recordings.ranges())
      convolve({frames[range.first], range.length, frames.cols},
               {x[firsts[range.index]], num_states(range.length), x.cols}, buffers);
    return stack_.add_positions(x, positions, scratch);
  };
  TransformerScratch scratch;
  run_sentences(stack_, sentences, embed, states, scratch);
}

SpeechSeq2Seq::SpeechSeq2Seq(std::shared_ptr<const SpeechEncoder> encoder,
                             std::shared_ptr<const TransformerDecoder> decoder)
    : SourceDecoder(decoder), encoder_(std::move(encoder)), transformer_decoder_(decoder) {
  decoder->check_reads(encoder_->output_size());
}

Encoded SpeechSeq2Seq::encode(ConstMatrix frames, const std::int64_t* lengths,
                              std::int64_t recordings) const {
  expect_equal(frames.cols, encoder_->num_mels(), "frames.shape[1]");
  const Ragged ragged = checked_lengths(lengths, recordings, frames.rows, encoder_->max_frames());
  std::vector<std::int64_t> state_lengths(recordings);
  std::int64_t rows = 0;
  for (std::int64_t i = 0; i < recordings; ++i)
    rows += state_lengths[i] = encoder_->num_states(lengths[i]);
  const Ragged sentences = Ragged::of_lengths(state_lengths.data(), recordings, rows);
  const ThreadScope threads(num_threads());
  Buffer buffer;
  const Matrix states = buffer.matrix(rows, encoder_->output_size());
  encoder_->run(frames, ragged, sentences, states);
  return {id(), transformer_decoder_->sources(constant(states), sentences)};
}

}  // namespace attnengine
