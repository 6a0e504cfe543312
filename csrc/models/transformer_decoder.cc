#include <algorithm>
#include <string>

#include "core/expect.h"
#include "kernels/kernels.h"
#include "layers/columns.h"
#include "models/transformer.h"

namespace attnengine {
namespace {

// The cache: a chunk of slots is laid out (layer, key | value, key head, slot, head_dim), so that
// the positions of a head that were written together lie together. With recurrences it is (layer,
// slot, hidden).
struct TransformerState : State {
  TransformerState(std::int64_t decoder, bool with_source, std::int64_t slot_size)
      : State(decoder, with_source, /*keeps_past=*/true, slot_size) {}

  using State::append;
  using State::Sequence;

  Sequence& sequence(std::int64_t id) { return sequences_[id]; }

  // The key of the first head of the first layer, or what that layer carries.
  float* cell(SlotHandle handle, std::int64_t cell_size) {
    return pool_.chunk(handle) + SlotPool::place(handle) * cell_size;
  }

  void resize(std::int64_t rows, std::size_t runs) {
    cells.resize(rows);
    tables.resize(rows);
    cross_tables.resize(rows);
    positions.resize(rows);
    lengths.resize(rows);
    places.resize(rows);
    source_lengths.resize(rows);
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
        const std::int64_t seen = positions[row] + 1;
        lengths[row] = window ? std::min(seen, window) : seen;
        tables[row] = pasts[i].data() + (seen - lengths[row]);
        places[row] = lengths[row] - 1;
      }
  }

  TransformerScratch scratch;
  std::int64_t looked = -1;                       // the window of `look` in this step, -1: none yet
  std::vector<std::vector<const float*>> pasts;   // (sequences of the step, length) cells
  std::vector<float*> cells;                      // (rows,) where the row's key goes
  std::vector<const float*> before;               // (rows,) what a layer carries, from where
  std::vector<float*> after;                      // (rows,) and to where
  std::vector<float> zeros;                       // (hidden,) before the first token
  std::vector<const float* const*> tables;        // (rows,)
  std::vector<const float* const*> cross_tables;  // (rows,)
  std::vector<std::int64_t> positions;            // (rows,) of the row's token
  std::vector<std::int64_t> lengths;              // (rows,) positions seen, itself included
  std::vector<std::int64_t> places;               // (rows,) of the row among these
  std::vector<std::int64_t> source_lengths;       // (rows,)
  Buffer head_weights;                            // (rows * heads, longest source)
  Buffer outputs;                                 // (wanted rows, hidden)
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
                                       float logit_cap)
    : stack_(std::move(stack)), output_(std::move(output)), logit_cap_(logit_cap) {
  if (!stack_.embedding) throw InvalidArgument("embedding is None, expected that of the tokens");
  if (!(logit_cap_ >= 0))
    throw InvalidArgument("logit_cap is " + std::to_string(logit_cap_) + ", expected 0 or more");
  stack_.check_sizes();
  expect_equal(output_->in(), stack_.hidden_size(), "output weight.shape[1]");
  expect_equal(output_->out(), stack_.embedding->vocab_size(), "output weight.shape[0]");
}

std::unique_ptr<State> TransformerDecoder::new_state() const {
  const auto layers = static_cast<std::int64_t>(stack_.layers.size());
  const std::int64_t layer_size = stack_.recurrent() ? cell_size() : 2 * stack_.key_size();
  return std::make_unique<TransformerState>(id(), stack_.has_cross_attention(),
                                            layers * layer_size);
}

std::int64_t TransformerDecoder::cell_size() const {
  return stack_.recurrent() ? stack_.hidden_size() : stack_.head_dim();
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
  const std::int64_t size = cell_size();
  state.resize(step.rows.count, step.runs.size());
  state.looked = -1;
  for (std::size_t i = 0; i < step.runs.size(); ++i) {
    const Run& run = step.runs[i];
    TransformerState::Sequence& sequence = state.sequence(run.index);
    std::vector<const float*>& past = state.pasts[i];
    past.clear();
    for (const SlotHandle handle : sequence.past) past.push_back(state.cell(handle, size));
    for (std::int64_t row = run.first; row < run.first + run.length; ++row) {
      state.positions[row] = static_cast<std::int64_t>(past.size());
      state.cells[row] = state.cell(state.append(sequence), size);
      past.push_back(state.cells[row]);
      state.source_lengths[row] = sequence.source ? sequence.source->length : 0;
    }
    step.longest = std::max(step.longest, state.source_lengths[run.first]);
  }
}

void TransformerDecoder::self_attention(std::size_t layer, ConstMatrix x, Matrix out, bool add,
                                        Step& step) const {
  const MultiHeadAttention& attention = stack_.layers[layer].self_attention;
  TransformerState& state = step.state;
  const std::int64_t head_dim = attention.head_dim(), kv_heads = attention.num_kv_heads;
  const std::int64_t head_stride = SlotPool::kChunkSlots * head_dim;
  const std::int64_t value_offset = kv_heads * head_stride;
  const std::int64_t key_offset = 2 * value_offset * static_cast<std::int64_t>(layer);
  const Matrix projected = attnengine::project(attention, x, state.scratch.attention);
  const Matrix key_value = columns_from(projected, attention.query_size());
  const Matrix context = state.scratch.attention.context.matrix(x.rows, attention.query_size());
  for (std::int64_t row = 0; row < x.rows; ++row)
    for (std::int64_t head = 0; head < 2 * kv_heads; ++head)  // the values follow the keys
      std::copy_n(key_value[row] + head * head_dim, head_dim,
                  state.cells[row] + key_offset + head * head_stride);
  state.look(step.runs, attention.window);
  ScaledDotStep scores{constant(projected),
                       state.tables.data(),
                       state.lengths.data(),
                       head_stride,
                       value_offset,
                       attention.num_heads,
                       kv_heads,
                       head_dim,
                       attention.scale,
                       context,
                       Matrix{},
                       key_offset,
                       attention.score_cap,
                       {},
                       state.places.data()};
  if (attention.position_bias) scores.bias = attention.position_bias->view();
  attend(scores, state.positions.data(), state.scratch.attention.record);
  (*attention.output)(constant(context), out, Activation::kNone, add);
}

void TransformerDecoder::recur(std::size_t layer, ConstMatrix x, Matrix out, bool add,
                               Step& step) const {
  TransformerState& state = step.state;
  const std::int64_t offset = SlotPool::kChunkSlots * x.cols * static_cast<std::int64_t>(layer);
  state.before.resize(x.rows);
  state.after.resize(x.rows);
  state.zeros.resize(x.cols);
  for (std::size_t i = 0; i < step.runs.size(); ++i) {
    const Run& run = step.runs[i];
    for (std::int64_t row = run.first; row < run.first + run.length; ++row) {
      const std::int64_t position = state.positions[row];
      state.before[row] = position ? state.pasts[i][position - 1] + offset : state.zeros.data();
      state.after[row] = state.cells[row] + offset;
    }
  }
  const Matrix y = add ? state.scratch.other.matrix(x.rows, x.cols) : out;
  stack_.layers[layer].recurrence->run(
      {x, state.before.data(), state.after.data(), state.positions.data(), y},
      state.scratch.recurrence);
  if (add) attnengine::add(constant(y), out);
}

void TransformerDecoder::cross_attention(std::size_t layer, ConstMatrix x, Matrix out, bool add,
                                         Step& step) const {
  const MultiHeadAttention& attention = stack_.layers[layer].cross_attention;
  TransformerState& state = step.state;
  const std::int64_t head_dim = attention.head_dim(), heads = attention.num_heads;
  AttentionScratch& scratch = state.scratch.attention;
  const Matrix query = scratch.projected.matrix(x.rows, attention.query_size());
  const Matrix context = scratch.context.matrix(x.rows, query.cols);
  (*attention.query)(x, query);
  for (const Run& run : step.runs)
    for (std::int64_t row = run.first; row < run.first + run.length; ++row)
      state.cross_tables[row] = state.sequence(run.index).source->tables[layer].data();

  const bool keep = state.keep_attention && layer + 1 == stack_.layers.size();
  const Matrix room = keep ? state.head_weights.matrix(x.rows * heads, step.longest) : Matrix{};
  const Matrix weights =
      attend({constant(query), state.cross_tables.data(), state.source_lengths.data(), head_dim,
              attention.key_size(), heads, attention.num_kv_heads, head_dim, attention.scale,
              context, room},
             /*positions=*/nullptr, state.keep_attentions ? &state.cross_attentions : nullptr);
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
