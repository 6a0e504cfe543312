#include "models/decoder.h"

#include <string>

#include "core/errors.h"
#include "core/parallel.h"
#include "layers/embedding.h"

namespace attnengine {
namespace {

std::vector<Run> runs_of(const Rows& rows) {
  std::vector<Run> runs;
  for (std::int64_t row = 0; row < rows.count; ++row) {
    if (row > 0 && rows.sequences[row] == rows.sequences[row - 1])
      ++runs.back().length;
    else
      runs.push_back({row, 1, rows.sequences[row]});
  }
  return runs;
}

}  // namespace

void HasThreads::set_num_threads(int threads) {
  check_threads(threads);
  num_threads_ = threads;
}

void Decoder::step(const Rows& rows, State& state) const {
  if (state.owner_ != owner()) throw InvalidArgument("state belongs to another model");
  check_tokens(rows.tokens, rows.count, vocab_size(), "tokens");
  const std::vector<Run> runs = runs_of(rows);
  std::vector<bool> seen(state.sequences_.size(), false);
  for (const Run& run : runs) {
    const auto sequence = static_cast<std::int32_t>(run.index);
    state.check(sequence, "sequences", run.first);
    if (seen[sequence])
      throw InvalidArgument("sequences[" + std::to_string(run.first) + "] is " +
                            std::to_string(sequence) +
                            " again: the rows of a sequence must be adjacent");
    seen[sequence] = true;
    if (max_positions() > 0 && state.length(sequence) + run.length > max_positions())
      throw InvalidArgument("sequence " + std::to_string(sequence) + " would have " +
                            std::to_string(state.length(sequence) + run.length) +
                            " tokens, expected at most " + std::to_string(max_positions()));
  }
  const ThreadScope threads(num_threads());
  std::int64_t wanted = 0;
  for (std::int64_t row = 0; row < rows.count; ++row) wanted += rows.wanted(row);
  state.logits.resize(wanted, vocab_size());
  run(rows, runs, state);
}

}  // namespace attnengine
