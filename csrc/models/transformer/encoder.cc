#include "models/transformer/encoder.h"

#include <algorithm>

#include "core/expect.h"
#include "core/parallel.h"
#include "models/sentences.h"

namespace attnengine {
namespace {

// Sentences go through the layers in parts of this size: their rows stay in the processor's cache.
constexpr std::int64_t kRows = 512;

}  // namespace

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
  std::vector<RowRange> ranges = ragged.ranges();
  std::sort(ranges.begin(), ranges.end(),
            [](const RowRange& a, const RowRange& b) { return a.first < b.first; });
  TransformerScratch scratch;
  scratch.attention.record = record;
  for (std::size_t begin = 0, end; begin < ranges.size(); begin = end) {
    const std::int64_t first = ranges[begin].first;
    std::int64_t rows = 0;
    for (end = begin; end < ranges.size() && (end == begin || rows + ranges[end].length <= kRows);
         ++end)
      rows += ranges[end].length;
    std::vector<RowRange> part(ranges.begin() + begin, ranges.begin() + end);
    for (RowRange& range : part) range.first -= first;
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
  for (const RowRange& range : ragged.ranges())
    std::copy_n(states[range.first + range.length - 1], states.cols, last[range.index]);
}

}  // namespace attnengine
