#pragma once

#include <algorithm>
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
// those of the wave before. Rows in the order of the waves are laid out so: wave after wave, in
// each a row of every sequence that has one, longest first.
class Ragged {
 public:
  // Throws InvalidArgument when a length is below 1 or the lengths do not add up to `rows`.
  static Ragged of_lengths(const std::int64_t* lengths, std::int64_t count, std::int64_t rows);

  explicit Ragged(std::vector<Run> runs);

  const std::vector<Run>& runs() const { return runs_; }  // longest first
  std::int64_t count() const { return std::int64_t(runs_.size()); }
  std::int64_t rows() const { return wave_firsts_.back(); }
  std::int64_t num_waves() const { return runs_.empty() ? 0 : runs_.front().length; }
  std::int64_t wave_size(std::int64_t wave) const {
    return wave_firsts_[wave + 1] - wave_firsts_[wave];
  }
  // Rows of the waves before.
  std::int64_t wave_first(std::int64_t wave) const { return wave_firsts_[wave]; }
  // Where the row lies that the i-th longest sequence has in a wave.
  std::int64_t place(std::int64_t wave, std::int64_t i) const { return runs_[i].first + wave; }

 private:
  std::vector<Run> runs_;
  std::vector<std::int64_t> wave_firsts_;  // (num_waves + 1,)
};

// Some adjacent waves. Matrices of their rows are in the order of the waves.
struct Waves {
  explicit Waves(const Ragged& ragged) : Waves(ragged, 0, ragged.num_waves()) {}
  Waves(const Ragged& ragged, std::int64_t begin, std::int64_t end)
      : ragged(ragged), begin(begin), end(end) {}

  std::int64_t rows() const { return ragged.wave_first(end) - ragged.wave_first(begin); }
  std::int64_t sequences() const { return begin < end ? ragged.wave_size(begin) : 0; }

  // The row of the i-th longest sequence in a wave, and in the last one that it has.
  std::int64_t row(std::int64_t wave, std::int64_t i) const {
    return ragged.wave_first(wave) - ragged.wave_first(begin) + i;
  }
  std::int64_t last_row(std::int64_t i) const {
    return row(std::min(end, ragged.runs()[i].length) - 1, i);
  }

  // f(row, wave, i) of every row, which is that of the i-th longest sequence.
  template <class F>
  void for_rows(F f) const {
    for (std::int64_t wave = begin; wave < end; ++wave)
      for (std::int64_t i = 0; i < ragged.wave_size(wave); ++i) f(row(wave, i), wave, i);
  }

  const Ragged& ragged;
  std::int64_t begin, end;
};

}  // namespace attnengine
