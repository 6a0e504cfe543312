#include "models/window_decoder.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/expect.h"
#include "layers/embedding.h"

namespace attnengine {
namespace {

constexpr std::int64_t kWindows = 32;         // encoded at once
constexpr std::int64_t kMaxWindow = 1 << 16;  // filled with padding, whatever the text

struct WindowState : State {
  explicit WindowState(std::int64_t decoder)
      : State(decoder, /*with_source=*/false,
              {/*keeps_past=*/true, /*size=*/sizeof(std::int32_t)}) {}

  using State::Sequence;

  Sequence& sequence(std::int64_t id) { return sequences_[id]; }

  void append_token(Sequence& sequence, std::int32_t token) {
    std::memcpy(pool_.slot(append(sequence)), &token, sizeof token);
  }

  // The last `size` tokens, padding before them.
  void copy_window(const Sequence& sequence, const WindowDecoder::Window& window,
                   std::vector<std::int32_t>& to) {
    const std::int64_t length = sequence.length;
    const std::int64_t first = std::max<std::int64_t>(0, length - window.size);
    if (window.padding) to.insert(to.end(), window.size - (length - first), *window.padding);
    for (std::int64_t i = first; i < length; ++i) {
      std::int32_t token;
      std::memcpy(&token, pool_.slot(sequence.past[i]), sizeof token);
      to.push_back(token);
    }
  }

  std::vector<std::int64_t> output_rows;  // (rows of the step,) the row of logits, or -1
  Buffer pooled;                          // (wanted rows, encoder output)
};

// Windows side by side, and where the vectors that they are pooled into belong.
struct Windows {
  std::vector<std::int32_t> tokens;
  std::vector<RowRange> ranges;
  std::vector<std::int64_t> rows;  // of logits

  void add(std::int64_t first, std::int64_t row) {
    const auto end = static_cast<std::int64_t>(tokens.size());
    ranges.push_back({first, end - first, static_cast<std::int64_t>(ranges.size())});
    rows.push_back(row);
  }
};

}  // namespace

WindowDecoder::WindowDecoder(std::shared_ptr<const Encoder> encoder,
                             std::shared_ptr<const Linear> output, Window window)
    : encoder_(std::move(encoder)), output_(std::move(output)), window_(window) {
  expect_equal(output_->in(), encoder_->output_size(), "output weight.shape[1]");
  expect_equal(output_->out(), encoder_->vocab_size(), "output weight.shape[0]");
  encoder_->check_pooling(window_.pooling);
  if (window_.size < 1 || window_.size > kMaxWindow)
    throw InvalidArgument("window is " + std::to_string(window_.size) + ", expected 1 to " +
                          std::to_string(kMaxWindow));
  if (encoder_->max_positions() > 0 && window_.size > encoder_->max_positions())
    throw InvalidArgument("window is " + std::to_string(window_.size) + ", expected at most the " +
                          std::to_string(encoder_->max_positions()) +
                          " positions that the encoder reads");
  if (window_.padding) check_tokens(&*window_.padding, 1, encoder_->vocab_size(), "padding");
}

std::unique_ptr<State> WindowDecoder::new_state() const {
  return std::make_unique<WindowState>(id());
}

void WindowDecoder::run(const Rows& rows, const std::vector<RowRange>& ranges, State& base) const {
  auto& state = static_cast<WindowState&>(base);
  const std::int64_t wanted = rows.number_wanted(state.output_rows);
  const Matrix pooled = state.pooled.matrix(wanted, output_->in());

  Windows windows;
  Buffer vectors;
  const auto encode = [&] {
    const Matrix out = vectors.matrix(std::int64_t(windows.ranges.size()), pooled.cols);
    encoder_->encode(windows.tokens.data(), Ragged(windows.ranges), window_.pooling, out);
    for (std::int64_t i = 0; i < out.rows; ++i)
      std::copy_n(out[i], out.cols, pooled[windows.rows[i]]);
    windows = {};
  };
  for (const RowRange& range : ranges) {
    WindowState::Sequence& sequence = state.sequence(range.index);
    for (std::int64_t row = range.first; row < range.first + range.length; ++row) {
      state.append_token(sequence, rows.tokens[row]);
      if (state.output_rows[row] < 0) continue;
      const auto first = static_cast<std::int64_t>(windows.tokens.size());
      state.copy_window(sequence, window_, windows.tokens);
      windows.add(first, state.output_rows[row]);
      if (windows.ranges.size() == kWindows) encode();
    }
  }
  if (!windows.ranges.empty()) encode();
  (*output_)(constant(pooled), state.logits.matrix());
}

}  // namespace attnengine
