#include "models/transformer/decoder.h"

#include <algorithm>
#include <string>

#include "core/expect.h"
#include "kernels/kernels.h"
#include "layers/columns.h"
#include "layers/self_attention.h"
#include "models/transformer/state.h"

namespace attnengine {
namespace {

// weights (rows * heads, src) -> mean (rows, src)
void mean_of_heads(ConstMatrix weights, std::int64_t heads, Matrix mean) {
  for (std::int64_t row = 0; row < mean.rows; ++row) {
    std::fill_n(mean[row], mean.cols, 0.0f);
    for (std::int64_t head = 0; head < heads; ++head)
      for (std::int64_t t = 0; t < mean.cols; ++t)
        mean[row][t] += weights[row * heads + head][t] / static_cast<float>(heads);
  }
}

// A source with memory for the keys and values of every cross-attention.
std::shared_ptr<EncodedSource> new_source(const RowRange& range, ConstMatrix states,
                                          PageHeads heads) {
  auto source = std::make_shared<EncodedSource>();
  const std::int64_t size = range.length * states.cols, pages = pages_of(range.length);
  source->length = range.length;
  source->size = states.cols;
  std::copy_n(states[range.first], size, source->states.floats(size));
  const std::byte* keys = source->keys.bytes(pages * heads.bytes());
  for (std::int64_t page = 0; page < pages; ++page)
    source->pages.push_back(keys + page * heads.bytes());
  return source;
}

}  // namespace

struct TransformerDecoder::Step {
  const Rows& rows;
  const std::vector<RowRange>& ranges;
  TransformerState& state;
  Matrix hidden;         // (rows, hidden)
  std::int64_t longest;  // source positions
};

TransformerDecoder::TransformerDecoder(TransformerStack stack, std::shared_ptr<const Linear> output,
                                       float logit_cap, CachePrecision cache)
    : stack_(std::move(stack)), output_(std::move(output)), logit_cap_(logit_cap), cache_(cache) {
  if (!stack_.embedding) throw InvalidArgument("embedding is None, expected that of the tokens");
  if (!(logit_cap_ >= 0))
    throw InvalidArgument("logit_cap is " + std::to_string(logit_cap_) + ", expected 0 or more");
  stack_.check_sizes();
  expect_equal(output_->in(), stack_.hidden_size(), "output weight.shape[1]");
  expect_equal(output_->out(), stack_.embedding->vocab_size(), "output weight.shape[0]");
}

std::optional<CachePrecision> TransformerDecoder::cache_precision() const {
  if (stack_.recurrent() && !stack_.has_cross_attention()) return {};
  return cache_;
}

std::unique_ptr<State> TransformerDecoder::new_state() const {
  const auto layers = static_cast<std::int64_t>(stack_.layers.size());
  PageHeads heads{};
  State::Slots slots{/*keeps_past=*/true,
                     layers * stack_.hidden_size() * std::int64_t(sizeof(float))};
  if (!stack_.recurrent()) {
    heads = stack_.page_heads(cache_);
    heads.count *= layers;
    slots = {/*keeps_past=*/true, heads.bytes(), kPage};
  }
  return std::make_unique<TransformerState>(id(), stack_.has_cross_attention(), slots, heads);
}

void TransformerDecoder::check_reads(std::int64_t encoder_size) const {
  if (!stack_.has_cross_attention())
    throw InvalidArgument("the decoder has no cross_attention, expected one to read the encoder");
  expect_equal(stack_.hidden_size(), encoder_size, "the decoder's hidden size");
}

std::vector<std::shared_ptr<const EncodedSource>> TransformerDecoder::sources(
    ConstMatrix states, const Ragged& ragged) const {
  const auto num_layers = static_cast<std::int64_t>(stack_.layers.size());
  const PageHeads heads = stack_.source_heads(cache_);
  const PageHeads all{num_layers * heads.count, heads.head_dim, cache_};
  std::vector<std::shared_ptr<EncodedSource>> sources(ragged.count());
  std::vector<PageCell> cells(states.rows);
  for (const RowRange& range : ragged.ranges()) {
    sources[range.index] = new_source(range, states, all);
    std::byte* keys = sources[range.index]->keys.bytes(0);
    for (std::int64_t t = 0; t < range.length; ++t)
      cells[range.first + t] = {keys + t / kPage * all.bytes(), t % kPage};
  }
  Buffer buffer;
  const Matrix keys_values = buffer.matrix(states.rows, 2 * heads.count * heads.head_dim);
  for (std::int64_t layer = 0; layer < num_layers; ++layer) {
    (*stack_.layers[layer].cross_attention.key_value)(states, keys_values);
    kernels().store_keys_values(constant(keys_values), heads, cells.data(), layer * heads.bytes());
  }
  return {sources.begin(), sources.end()};
}

void TransformerDecoder::run(const Rows& rows, const std::vector<RowRange>& ranges,
                             State& base) const {
  auto& state = static_cast<TransformerState&>(base);
  Step step{rows, ranges, state, Matrix{}, 0};
  append_rows(step);
  state.scratch.attention.angles.start(state.positions.data(), rows.count);
  step.hidden = stack_.embed(rows.tokens, state.positions.data(), rows.count, state.scratch);
  if (state.keep_alignment) state.attention.resize(rows.count, step.longest);
  state.record(rows.count, step.longest);
  for (std::size_t i = 0; i < stack_.layers.size(); ++i)
    run_layer(
        stack_.layers[i], step.hidden, state.scratch,
        [&](ConstMatrix x, Matrix out, bool add) {
          stack_.recurrent() ? recur(i, x, out, add, step) : self_attention(i, x, out, add, step);
        },
        [&](ConstMatrix x, Matrix out, bool add) { cross_attention(i, x, out, add, step); });
  project(step);
}

void TransformerDecoder::append_rows(Step& step) const {
  TransformerState& state = step.state;
  state.resize(step.rows.count, step.ranges.size());
  state.visible_window = -1;
  for (std::size_t i = 0; i < step.ranges.size(); ++i) {
    const RowRange& range = step.ranges[i];
    state.append_range(range, i);
    const auto& source = state.sequence(range.index).source;
    if (!source) continue;
    for (std::int64_t row = range.first; row < range.first + range.length; ++row)
      state.visible_sources[row] = {source->pages.data(), 0, source->length, 0};
    step.longest = std::max(step.longest, source->length);
  }
}

void TransformerDecoder::self_attention(std::size_t layer, ConstMatrix x, Matrix out, bool add,
                                        Step& step) const {
  const MultiHeadAttention& attention = stack_.layers[layer].self_attention;
  TransformerState& state = step.state;
  state.set_visible(step.ranges, attention.window);
  const auto offset = static_cast<std::int64_t>(layer) * stack_.page_heads(cache_).bytes();
  run_self_attention(attention, x, {state.cells.data(), state.visible.data(), offset, cache_}, out,
                     add, state.scratch.attention);
}

void TransformerDecoder::recur(std::size_t layer, ConstMatrix x, Matrix out, bool add,
                               Step& step) const {
  TransformerState& state = step.state;
  const std::int64_t offset = x.cols * static_cast<std::int64_t>(layer);
  const auto floats = [=](std::byte* slot) { return reinterpret_cast<float*>(slot) + offset; };
  state.before.resize(x.rows);
  state.after.resize(x.rows);
  state.zeros.resize(x.cols);
  for (std::size_t i = 0; i < step.ranges.size(); ++i) {
    const RowRange& range = step.ranges[i];
    for (std::int64_t row = range.first; row < range.first + range.length; ++row) {
      const std::int64_t position = state.positions[row];
      state.before[row] = position ? floats(state.pasts[i][position - 1]) : state.zeros.data();
      state.after[row] = floats(state.cells[row].page);
    }
  }
  const Matrix y = add ? state.scratch.block.matrix(x.rows, x.cols) : out;
  stack_.layers[layer].recurrence->run(
      {x, state.before.data(), state.after.data(), state.positions.data(), y},
      state.scratch.recurrence);
  if (add) attnengine::add(constant(y), out);
}

void TransformerDecoder::cross_attention(std::size_t layer, ConstMatrix x, Matrix out, bool add,
                                         Step& step) const {
  const MultiHeadAttention& attention = stack_.layers[layer].cross_attention;
  TransformerState& state = step.state;
  const std::int64_t heads = attention.num_heads;
  AttentionScratch& scratch = state.scratch.attention;
  const Matrix query = scratch.projected.matrix(x.rows, attention.query_size());
  const Matrix context = scratch.context.matrix(x.rows, query.cols);
  (*attention.query)(x, query);
  const bool keep = state.keep_alignment && layer + 1 == stack_.layers.size();
  const Matrix kept = keep ? state.head_weights.matrix(x.rows * heads, step.longest) : Matrix{};
  const PageHeads sources = stack_.source_heads(cache_);
  const std::int64_t offset = static_cast<std::int64_t>(layer) * sources.bytes();
  const Matrix weights = attend({constant(query), state.visible_sources.data(), offset, heads,
                                 sources, attention.scale, context, kept},
                                state.keep_all_attentions ? &state.cross_attentions : nullptr);
  (*attention.output)(constant(context), out, Activation::kNone, add);
  if (keep) mean_of_heads(constant(weights), heads, state.attention.matrix());
}

void TransformerDecoder::project(Step& step) const {
  TransformerState& state = step.state;
  if (stack_.final_norm) (*stack_.final_norm)(constant(step.hidden), step.hidden);
  const Matrix outputs = state.outputs.matrix(state.logits.matrix().rows, step.hidden.cols);
  std::int64_t next = 0;
  for (std::int64_t row = 0; row < step.rows.count; ++row)
    if (step.rows.wanted(row)) std::copy_n(step.hidden[row], outputs.cols, outputs[next++]);
  const Matrix logits = state.logits.matrix();
  (*output_)(constant(outputs), logits);
  if (logit_cap_ > 0) {
    for (std::int64_t i = 0; i < logits.rows * logits.cols; ++i) logits.data[i] /= logit_cap_;
    kernels().activate(Activation::kTanh, logits);
    for (std::int64_t i = 0; i < logits.rows * logits.cols; ++i) logits.data[i] *= logit_cap_;
  }
}

}  // namespace attnengine
