#pragma once

#include <cstdint>
#include <vector>

namespace attnengine {

// Adjacent rows of one sequence.
struct Run {
  std::int64_t first;   // its first row
  std::int64_t length;  // at least 1
  std::int64_t index;   // which sequence, in the order given
};

// Sequences of different length side by side. A recurrence takes them in waves: the t-th row of
// every sequence that has one. With the longest first, the sequences of a wave are a prefix of
// those of the wave before.
class Ragged {
 public:
  // Throws InvalidArgument when a length is below 1 or the lengths do not add up to `rows`.
  static Ragged of_lengths(const std::int64_t* lengths, std::int64_t count, std::int64_t rows);

  explicit Ragged(std::vector<Run> runs);

  const std::vector<Run>& runs() const { return runs_; }  // longest first
  std::int64_t count() const { return std::int64_t(runs_.size()); }
  std::int64_t num_waves() const { return runs_.empty() ? 0 : runs_.front().length; }
  std::int64_t wave_size(std::int64_t wave) const { return wave_sizes_[wave]; }

 private:
  std::vector<Run> runs_;
  std::vector<std::int64_t> wave_sizes_;  // (num_waves,)
};

}  // namespace attnengine
