#pragma once

#include <memory>
#include <optional>

#include "layers/linear.h"
#include "models/decoder.h"
#include "models/encoder.h"

namespace attnengine {

// A language model that reads the last tokens of its text anew for every token: an encoder over the
// window, pooled, then the output layer. A token's slot holds the token.
class WindowDecoder : public Decoder {
 public:
  struct Window {
    std::int64_t size;                    // tokens that the encoder reads at most
    std::optional<std::int32_t> padding;  // fills the front of a shorter text; none: it is shorter
    Pooling pooling;                      // of the encoder's states
  };

  // Throws InvalidArgument when sizes do not fit.
  WindowDecoder(std::shared_ptr<const Encoder> encoder, std::shared_ptr<const Linear> output,
                Window window);

  std::unique_ptr<State> new_state() const override;
  std::int64_t vocab_size() const override { return output_->out(); }

 private:
  void run(const Rows& rows, const std::vector<RowRange>& ranges, State& state) const override;

  std::shared_ptr<const Encoder> encoder_;
  std::shared_ptr<const Linear> output_;
  Window window_;
};

}  // namespace attnengine
