#pragma once

#include <memory>
#include <vector>

#include "layers/convolution.h"
#include "models/seq2seq.h"
#include "models/transformer/decoder.h"

namespace attnengine {

// The encoder of Whisper (Radford et al. 2022): convolutions over the frames of a spectrogram, then
// a Transformer with positions and layers but without an embedding.
class SpeechEncoder {
 public:
  SpeechEncoder(std::vector<Convolution> convolutions, Activation activation,
                TransformerStack stack);

  std::int64_t num_mels() const { return convolutions_.front().in(); }
  std::int64_t output_size() const { return stack_.hidden_size(); }
  std::int64_t max_frames() const;  // of a recording; 0: any length
  // How many states a recording has.
  std::int64_t num_states(std::int64_t frames) const;

  // frames (recordings' rows, num_mels) -> states (sentences' rows, output_size)
  void run(ConstMatrix frames, const Ragged& recordings, const Ragged& sentences,
           Matrix states) const;

 private:
  void convolve(ConstMatrix frames, Matrix out, Buffer* scratch) const;

  std::vector<Convolution> convolutions_;
  Activation activation_;
  TransformerStack stack_;
};

// An encoder of speech in front of a decoder of text.
class SpeechSeq2Seq : public SourceDecoder {
 public:
  SpeechSeq2Seq(std::shared_ptr<const SpeechEncoder> encoder,
                std::shared_ptr<const TransformerDecoder> decoder);

  // frames (rows, num_mels), lengths (recordings,) in frames -> a source for each recording. Throws
  // InvalidArgument for lengths that do not add up, and for recordings that are too long.
  Encoded encode(ConstMatrix frames, const std::int64_t* lengths, std::int64_t recordings) const;
  const SpeechEncoder& encoder() const { return *encoder_; }

 private:
  std::shared_ptr<const SpeechEncoder> encoder_;
  std::shared_ptr<const TransformerDecoder> transformer_decoder_;
};

}  // namespace attnengine
