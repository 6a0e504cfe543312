#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace attnengine {

// Adjacent rows of one sequence.
struct RowRange {
  std::int64_t first;   // its first row
  std::int64_t length;  // at least 1
  std::int64_t index;   // which sequence, in the order given
};

// Sequences of different length side by side. A recurrence takes them by timestep: the t-th row of
// each sequence that has one. With the longest first, the sequences of a timestep are a prefix of
// those of the timestep before. Rows in the order of timesteps: one timestep after another, each
// with a row of every sequence that has one, longest first.
class Ragged {
 public:
  // Throws InvalidArgument when a length is below 1 or the lengths do not add up to `rows`.
  static Ragged of_lengths(const std::int64_t* lengths, std::int64_t count, std::int64_t rows);

  explicit Ragged(std::vector<RowRange> ranges);

  const std::vector<RowRange>& ranges() const { return ranges_; }  // longest first
  std::int64_t count() const { return std::int64_t(ranges_.size()); }
  std::int64_t rows() const { return timestep_firsts_.back(); }
  std::int64_t num_timesteps() const { return ranges_.empty() ? 0 : ranges_.front().length; }
  std::int64_t timestep_size(std::int64_t timestep) const {
    return timestep_firsts_[timestep + 1] - timestep_firsts_[timestep];
  }
  // Rows of the timesteps before.
  std::int64_t timestep_first(std::int64_t timestep) const { return timestep_firsts_[timestep]; }
  // The row that the i-th longest sequence has at a timestep.
  std::int64_t row(std::int64_t timestep, std::int64_t i) const {
    return ranges_[i].first + timestep;
  }

 private:
  std::vector<RowRange> ranges_;
  std::vector<std::int64_t> timestep_firsts_;  // (num_timesteps + 1,)
};

// Adjacent timesteps. Matrices of their rows are in the order of timesteps.
struct Timesteps {
  explicit Timesteps(const Ragged& ragged) : Timesteps(ragged, 0, ragged.num_timesteps()) {}
  Timesteps(const Ragged& ragged, std::int64_t begin, std::int64_t end)
      : ragged(ragged), begin(begin), end(end) {}

  std::int64_t rows() const { return ragged.timestep_first(end) - ragged.timestep_first(begin); }
  std::int64_t sequences() const { return begin < end ? ragged.timestep_size(begin) : 0; }

  // The row of the i-th longest sequence in a timestep, and in the last one that it has.
  std::int64_t row(std::int64_t timestep, std::int64_t i) const {
    return ragged.timestep_first(timestep) - ragged.timestep_first(begin) + i;
  }
  std::int64_t last_row(std::int64_t i) const {
    return row(std::min(end, ragged.ranges()[i].length) - 1, i);
  }

  // f(row, timestep, i) of every row, which is that of the i-th longest sequence.
  template <class F>
  void for_rows(F f) const {
    for (std::int64_t timestep = begin; timestep < end; ++timestep)
      for (std::int64_t i = 0; i < ragged.timestep_size(timestep); ++i)
        f(row(timestep, i), timestep, i);
  }

  const Ragged& ragged;
  std::int64_t begin, end;
};

}  // namespace attnengine
