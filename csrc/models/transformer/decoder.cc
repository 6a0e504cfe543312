#include <algorithm>
#include <string>

#include "core/expect.h"
#include "kernels/kernels.h"
#include "layers/columns.h"
#include "layers/self_attention.h"
#include "models/transformer/stack.h"

namespace attnengine {
namespace {

// The cache: a slot is a page with the key heads of every layer. With recurrences it is what a
// token leaves in every layer, (layers, hidden).
struct TransformerState : State {
  TransformerState(std::int64_t decoder, bool with_source, Slots slots, PageHeads heads)
      : State(decoder, with_source, slots), heads(heads) {}

  using State::append;
  using State::Sequence;

  Sequence& sequence(std::int64_t id) { return sequences_[id]; }

  // The first positions of a page.
  void copy_tokens(const std::byte* from, std::int64_t tokens, std::byte* to) const override {
    const std::int64_t keys = heads.head_dim * kPage;  // lines of 16 positions: all or nothing
    const std::int64_t count = keys + tokens * value_stride(heads.head_dim);
    const std::int64_t bytes = heads.scale_bytes() + count * bytes_of(heads.precision);
    for (std::int64_t head = 0; head < heads.count; ++head) {
      const std::int64_t first = head * heads.head_bytes();
      std::copy_n(from + first, bytes, to + first);
    }
  }

  // Appends the rows of a sequence, which is the i-th of the step.
  void append_run(const Run& run, std::size_t i) {
    Sequence& to = sequence(run.index);
    for (std::int64_t row = run.first; row < run.first + run.length; ++row) {
      positions[row] = to.length;
      append(to);
    }
    std::vector<std::byte*>& past = pasts[i];
    past.clear();
    for (const SlotHandle handle : to.past) past.push_back(pool_.slot(handle));
    for (std::int64_t row = run.first; row < run.first + run.length; ++row)
      cells[row] = {past[positions[row] / slots_.tokens], positions[row] % slots_.tokens};
  }

  void resize(std::int64_t rows, std::size_t runs) {
    cells.resize(rows);
    sights.resize(rows);
    source_sights.resize(rows);
    positions.resize(rows);
    if (pasts.size() < runs) pasts.resize(runs);
  }

  // Makes room for the weights of every head, where they are kept.
  void record(std::int64_t rows, std::int64_t longest_source) {
    scratch.attention.record = keep_attentions ? &self_attentions : nullptr;
    if (!keep_attentions) return;
    std::int64_t longest = 0;
    for (const std::int64_t position : positions) longest = std::max(longest, position + 1);
    self_attentions.start(rows, longest);
    cross_attentions.start(rows, longest_source);
  }

  // Lets every row see its past and itself, or the last `window` of these. Most layers see what the
  // one before them saw.
  void look(const std::vector<Run>& runs, std::int64_t window) {
    if (window == looked) return;
    looked = window;
    for (std::size_t i = 0; i < runs.size(); ++i)
      for (std::int64_t row = runs[i].first; row < runs[i].first + runs[i].length; ++row) {
        const std::int64_t end = positions[row] + 1;
        const std::int64_t first = window ? std::max<std::int64_t>(end - window, 0) : 0;
        sights[row] = {pasts[i].data(), first, end, positions[row]};
      }
  }

  PageHeads heads;  // of every layer
  TransformerScratch scratch;
  std::int64_t looked = -1;                    // the window of `look` in this step, -1: none yet
  std::vector<std::vector<std::byte*>> pasts;  // (sequences of the step, slots)
  std::vector<PageCell> cells;                 // (rows,) where the row's keys go
  std::vector<const float*> before;            // (rows,) what a layer carries, from where
  std::vector<float*> after;                   // (rows,) and to where
  std::vector<float> zeros;                    // (hidden,) before the first token
  std::vector<Sight> sights;                   // (rows,) its past and itself
  std::vector<Sight> source_sights;            // (rows,)
  std::vector<std::int64_t> positions;         // (rows,) of the row's token
  Buffer head_weights;                         // (rows * heads, longest source)
  Buffer outputs;                              // (wanted rows, hidden)
};

// weights (rows * heads, src) -> mean (rows, src)
void mean_of_heads(ConstMatrix weights, std::int64_t heads, Matrix mean) {
  for (std::int64_t row = 0; row < mean.rows; ++row) {
    std::fill_n(mean[row], mean.cols, 0.0f);
    for (std::int64_t head = 0; head < heads; ++head)
      for (std::int64_t t = 0; t < mean.cols; ++t)
        mean[row][t] += weights[row * heads + head][t] / static_cast<float>(heads);
  }
}

}  // namespace

struct TransformerDecoder::Step {
  const Rows& rows;
  const std::vector<Run>& runs;
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

void TransformerDecoder::run(const Rows& rows, const std::vector<Run>& runs, State& base) const {
  auto& state = static_cast<TransformerState&>(base);
  Step step{rows, runs, state, Matrix{}, 0};
  append_rows(step);
  state.scratch.attention.angles.start(state.positions.data(), rows.count);
  step.hidden = stack_.embed(rows.tokens, state.positions.data(), rows.count, state.scratch);
  if (state.keep_attention) state.attention.resize(rows.count, step.longest);
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
  state.resize(step.rows.count, step.runs.size());
  state.looked = -1;
  for (std::size_t i = 0; i < step.runs.size(); ++i) {
    const Run& run = step.runs[i];
    state.append_run(run, i);
    const auto& source = state.sequence(run.index).source;
    if (!source) continue;
    for (std::int64_t row = run.first; row < run.first + run.length; ++row)
      state.source_sights[row] = {source->pages.data(), 0, source->length, 0};
    step.longest = std::max(step.longest, source->length);
  }
}

void TransformerDecoder::self_attention(std::size_t layer, ConstMatrix x, Matrix out, bool add,
                                        Step& step) const {
  const MultiHeadAttention& attention = stack_.layers[layer].self_attention;
  TransformerState& state = step.state;
  state.look(step.runs, attention.window);
  const auto offset = static_cast<std::int64_t>(layer) * stack_.page_heads(cache_).bytes();
  run_self_attention(attention, x, {state.cells.data(), state.sights.data(), offset, cache_}, out,
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
  for (std::size_t i = 0; i < step.runs.size(); ++i) {
    const Run& run = step.runs[i];
    for (std::int64_t row = run.first; row < run.first + run.length; ++row) {
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
  const bool keep = state.keep_attention && layer + 1 == stack_.layers.size();
  const Matrix room = keep ? state.head_weights.matrix(x.rows * heads, step.longest) : Matrix{};
  const PageHeads sources = stack_.source_heads(cache_);
  const std::int64_t offset = static_cast<std::int64_t>(layer) * sources.bytes();
  const Matrix weights = attend({constant(query), state.source_sights.data(), offset, heads,
                                 sources, attention.scale, context, room},
                                state.keep_attentions ? &state.cross_attentions : nullptr);
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
