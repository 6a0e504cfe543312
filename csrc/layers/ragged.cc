#include "layers/ragged.h"

#include <algorithm>
#include <string>

#include "core/expect.h"

namespace attnengine {

Ragged::Ragged(std::vector<Run> runs) : runs_(std::move(runs)) {
  std::stable_sort(runs_.begin(), runs_.end(),
                   [](const Run& a, const Run& b) { return a.length > b.length; });
  wave_firsts_.assign(1, 0);
  for (std::int64_t t = 0, size = count(); t < num_waves(); ++t) {
    while (runs_[size - 1].length <= t) --size;
    wave_firsts_.push_back(wave_firsts_.back() + size);
  }
}

Ragged Ragged::of_lengths(const std::int64_t* lengths, std::int64_t count, std::int64_t rows) {
  std::vector<Run> runs;
  runs.reserve(count);
  std::int64_t first = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (lengths[i] < 1 || lengths[i] > rows - first)
      throw InvalidArgument("lengths[" + std::to_string(i) + "] is " + std::to_string(lengths[i]) +
                            ", expected 1 to the " + std::to_string(rows - first) +
                            " tokens that are left");
    runs.push_back({first, lengths[i], i});
    first += lengths[i];
  }
  expect_equal(first, rows, "the sum of lengths");
  return Ragged(std::move(runs));
}

}  // namespace attnengine
