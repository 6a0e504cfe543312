#include "models/rnn/bridge.h"

#include <algorithm>
#include <string>

#include "core/expect.h"
#include "layers/columns.h"
#include "layers/pooling.h"

namespace attnengine {
namespace {

// What the bridge reads: kFinal (sentences, encoder_layers * size), otherwise (sentences, size).
Matrix gather_input(const Bridge& bridge, const Ragged& ragged, ConstMatrix states,
                    const std::vector<LayerStates>& finals, bool cell, Buffer& buffer) {
  const std::int64_t sentences = ragged.count(), size = states.cols;
  const auto layers = static_cast<std::int64_t>(finals.size());
  const bool all = bridge.input == Bridge::Input::kFinal;
  const Matrix out = buffer.matrix(sentences, all ? layers * size : size);
  if (bridge.input == Bridge::Input::kMean) {
    for (const RowRange& range : ragged.ranges()) mean_rows(range, states, out[range.index]);
    return out;
  }
  for (std::int64_t i = all ? 0 : layers - 1; i < layers; ++i) {
    const Buffer& final = cell ? finals[i].cell : finals[i].hidden;
    copy_columns({final.data(), sentences, size}, out, all ? i * size : 0);
  }
  return out;
}

}  // namespace

void Bridge::check_sizes(std::int64_t layers, std::int64_t hidden_size,
                         const std::vector<RnnLayer>& encoder) const {
  if (input == Input::kZero) return;
  const bool all = input == Input::kFinal;
  const auto encoder_layers = static_cast<std::int64_t>(encoder.size());
  const std::int64_t encoder_size = encoder.back().output_size();
  if (all) {
    expect_equal(encoder_layers, layers, "number of encoder layers for this bridge");
    for (const RnnLayer& layer : encoder)
      expect_equal(layer.output_size(), encoder_size, "size of every encoder layer of this bridge");
  }
  const std::int64_t in = all ? encoder_layers * encoder_size : encoder_size;
  const std::int64_t out = all ? layers * hidden_size : hidden_size;
  const bool copies = !hidden || (!cell && cell_start == CellStart::kOwn);
  if (copies) expect_equal(in, out, "size of the encoder state that the bridge copies");
  for (const auto& linear : {hidden, cell}) {
    if (!linear) continue;
    expect_equal(linear->in(), in, "bridge weight.shape[1]");
    expect_equal(linear->out(), out, "bridge weight.shape[0]");
  }
  if (cell_start == CellStart::kOwn)
    for (const RnnLayer& layer : encoder)
      expect_equal(layer.forward->cell_size(), layer.forward->hidden_size(),
                   "cell size of every encoder layer of this bridge");
}

void Bridge::start(const Ragged& ragged, ConstMatrix states, const std::vector<LayerStates>& finals,
                   std::int64_t layers, std::int64_t hidden_size, Matrix initial) const {
  std::fill_n(initial.data, initial.rows * initial.cols, 0.0f);
  if (input == Input::kZero) return;
  Buffer read_buffer, out_buffer;
  const auto part = [&](const std::shared_ptr<const Linear>& linear, bool of_cell) {
    const Matrix read = gather_input(*this, ragged, states, finals, of_cell, read_buffer);
    if (!linear) return read;
    const Matrix out = out_buffer.matrix(read.rows, linear->out());
    (*linear)(constant(read), out, activation);
    return out;
  };
  const auto copy = [&](Matrix from, std::int64_t first) {
    if (input == Input::kFinal) return copy_columns(constant(from), initial, first);
    for (std::int64_t i = 0; i < layers; ++i)
      copy_columns(constant(from), initial, first + i * hidden_size);
  };
  const Matrix start_hidden = part(hidden, false);
  copy(start_hidden, 0);
  if (cell_start == CellStart::kHidden) copy(start_hidden, layers * hidden_size);
  if (cell_start == CellStart::kOwn) copy(part(cell, true), layers * hidden_size);
}

}  // namespace attnengine
