#include "models/decoder.h"

#include <string>

#include "core/errors.h"
#include "core/parallel.h"
#include "layers/embedding.h"

namespace attnengine {
namespace {

std::vector<RowRange> ranges_of(const Rows& rows) {
  std::vector<RowRange> ranges;
  for (std::int64_t row = 0; row < rows.count; ++row) {
    if (row > 0 && rows.sequences[row] == rows.sequences[row - 1])
      ++ranges.back().length;
    else
      ranges.push_back({row, 1, rows.sequences[row]});
  }
  return ranges;
}

}  // namespace

std::int64_t Rows::number_wanted(std::vector<std::int64_t>& output_rows) const {
  output_rows.assign(count, -1);
  std::int64_t number = 0;
  for (std::int64_t row = 0; row < count; ++row)
    if (wanted(row)) output_rows[row] = number++;
  return number;
}

void HasThreads::set_num_threads(int threads) {
  check_threads(threads);
  num_threads_ = threads;
}

Decoder::Decoder() {
  static std::atomic<std::int64_t> decoders{0};
  id_ = ++decoders;
}

void Decoder::step(const Rows& rows, State& state) const {
  if (state.decoder_ != id()) throw InvalidArgument("state belongs to another model");
  const std::vector<RowRange> ranges = ranges_of(rows);
  check_rows(rows, ranges, state);
  const ThreadScope threads(num_threads());
  std::int64_t wanted = 0;
  for (std::int64_t row = 0; row < rows.count; ++row) wanted += rows.wanted(row);
  state.logits.resize(wanted, vocab_size());
  state.half_changed_ = true;
  run(rows, ranges, state);
  state.half_changed_ = false;
}

void Decoder::check_rows(const Rows& rows, const std::vector<RowRange>& ranges,
                         const State& state) const {
  check_tokens(rows.tokens, rows.count, vocab_size(), "tokens");
  std::vector<bool> seen(state.sequences_.size(), false);
  for (const RowRange& range : ranges) {
    const auto sequence = static_cast<std::int32_t>(range.index);
    state.check(sequence, "sequences", range.first);
    if (seen[sequence])
      throw InvalidArgument("sequences[" + std::to_string(range.first) + "] is " +
                            std::to_string(sequence) +
                            " again: the rows of a sequence must be adjacent");
    seen[sequence] = true;
    const std::int64_t length = state.length(sequence) + range.length;
    if (max_positions() > 0 && length > max_positions())
      throw InvalidArgument("sequence " + std::to_string(sequence) + " would have " +
                            std::to_string(length) + " tokens, expected at most " +
                            std::to_string(max_positions()));
  }
}

}  // namespace attnengine
