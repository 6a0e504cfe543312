#include <algorithm>
#include <string>

#include "core/expect.h"
#include "core/parallel.h"
#include "layers/self_attention.h"
#include "models/sentences.h"
#include "models/transformer/stack.h"

namespace attnengine {
namespace {

// Sentences go through the layers some at a time: so many rows stay in the cache between them.
constexpr std::int64_t kRows = 512;
constexpr CachePrecision kCache = CachePrecision::kFloat32;  // nothing is kept for long

// Self-attention of whole sentences: a row sees the rows of its sentence, all or those near it.
// Every layer fills the same pages.
class SentenceAttention {
 public:
  SentenceAttention(const Ragged& ragged, std::int64_t rows, PageHeads heads, Buffer& buffer)
      : ragged_(ragged), cells_(rows), sights_(rows), positions_(rows) {
    for (const Run& run : ragged.runs()) pages_.resize(pages_.size() + pages_of(run.length));
    std::byte* page = buffer.bytes(static_cast<std::int64_t>(pages_.size()) * heads.bytes());
    for (const std::byte*& start : pages_) {
      start = page;
      page += heads.bytes();
    }
    page = buffer.bytes(0);
    for (const Run& run : ragged.runs()) {
      for (std::int64_t t = 0; t < run.length; ++t) {
        cells_[run.first + t] = {page + t / kPage * heads.bytes(), t % kPage};
        positions_[run.first + t] = t;
      }
      page += pages_of(run.length) * heads.bytes();
    }
  }

  const std::int64_t* positions() const { return positions_.data(); }  // (rows,) in the sentence

  void run(const MultiHeadAttention& attention, ConstMatrix x, Matrix out, bool add,
           AttentionScratch& scratch) {
    look(attention.window);
    run_self_attention(attention, x, {cells_.data(), sights_.data(), 0, kCache}, out, add, scratch);
  }

 private:
  void look(std::int64_t window) {
    if (window == looked_) return;
    looked_ = window;
    const std::byte* const* pages = pages_.data();
    for (const Run& run : ragged_.runs()) {
      const std::int64_t reach = window ? std::min(window, run.length) : run.length;
      for (std::int64_t t = 0; t < run.length; ++t)
        sights_[run.first + t] = {pages, std::max<std::int64_t>(t - reach, 0),
                                  std::min(t + reach + 1, run.length), t};
      pages += pages_of(run.length);
    }
  }

  const Ragged& ragged_;
  std::vector<const std::byte*> pages_;  // of all sentences, one behind the other
  std::vector<PageCell> cells_;          // (rows,)
  std::vector<Sight> sights_;            // (rows,)
  std::vector<std::int64_t> positions_;
  std::int64_t looked_ = -1;  // the window of the last `look`
};

}  // namespace

void run_sentences(const TransformerStack& stack, const Ragged& ragged, const Embed& embed,
                   Matrix states, TransformerScratch& scratch) {
  SentenceAttention sentences(ragged, states.rows, stack.page_heads(kCache),
                              scratch.attention.pages);
  scratch.attention.angles.start(sentences.positions(), states.rows);
  const Matrix x = embed(sentences.positions(), scratch);
  for (const TransformerLayer& layer : stack.layers) {
    const auto self_attention = [&](ConstMatrix in, Matrix out, bool add) {
      sentences.run(layer.self_attention, in, out, add, scratch.attention);
    };
    run_layer(layer, x, scratch, self_attention, self_attention);
  }
  if (stack.final_norm) (*stack.final_norm)(constant(x), x);
  std::copy_n(x.data, x.rows * x.cols, states.data);
}

TransformerEncoder::TransformerEncoder(TransformerStack stack, std::vector<float> pooling_query)
    : Encoder(std::move(pooling_query)), stack_(std::move(stack)) {
  if (!stack_.embedding) throw InvalidArgument("embedding is None, expected that of the tokens");
  stack_.check_sizes();
  if (stack_.has_cross_attention())
    throw InvalidArgument("a layer of the encoder has cross_attention, expected none");
  if (stack_.recurrent())
    throw InvalidArgument("a layer of the encoder has a recurrence, expected self_attention");
  check_pooling_query();
}

AttentionRecord TransformerEncoder::attentions(const std::int32_t* tokens,
                                               std::int64_t rows) const {
  const Ragged ragged = checked_sentences(tokens, rows, &rows, 1, vocab_size(), max_positions());
  const ThreadScope threads(num_threads());
  Buffer states;
  AttentionRecord record;
  record.start(rows, rows);
  run(tokens, ragged, states.matrix(rows, output_size()), &record);
  return record;
}

void TransformerEncoder::run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
                             AttentionRecord* record) const {
  std::vector<Run> runs = ragged.runs();
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.first < b.first; });
  TransformerScratch scratch;
  scratch.attention.record = record;
  for (std::size_t begin = 0, end; begin < runs.size(); begin = end) {
    const std::int64_t first = runs[begin].first;
    std::int64_t rows = 0;
    for (end = begin; end < runs.size() && (end == begin || rows + runs[end].length <= kRows);
         ++end)
      rows += runs[end].length;
    std::vector<Run> part(runs.begin() + begin, runs.begin() + end);
    for (Run& run : part) run.first -= first;
    const auto embed = [&](const std::int64_t* positions, TransformerScratch& to) {
      return stack_.embed(tokens + first, positions, rows, to);
    };
    const Matrix of_part{states[first], rows, states.cols};
    run_sentences(stack_, Ragged(std::move(part)), embed, of_part, scratch);
  }
}

void TransformerEncoder::run(const std::int32_t* tokens, const Ragged& ragged, Matrix states,
                             Matrix last) const {
  run(tokens, ragged, states);
  for (const Run& run : ragged.runs())
    std::copy_n(states[run.first + run.length - 1], states.cols, last[run.index]);
}

}  // namespace attnengine
