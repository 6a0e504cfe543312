#include "layers/ragged.h"

#include <algorithm>
#include <string>

#include "core/expect.h"

namespace attnengine {

Ragged::Ragged(std::vector<RowRange> ranges) : ranges_(std::move(ranges)) {
  std::stable_sort(ranges_.begin(), ranges_.end(),
                   [](const RowRange& a, const RowRange& b) { return a.length > b.length; });
  timestep_firsts_.assign(1, 0);
  for (std::int64_t t = 0, size = count(); t < num_timesteps(); ++t) {
    while (ranges_[size - 1].length <= t) --size;
    timestep_firsts_.push_back(timestep_firsts_.back() + size);
  }
}

Ragged Ragged::of_lengths(const std::int64_t* lengths, std::int64_t count, std::int64_t rows) {
  std::vector<RowRange> ranges;
  ranges.reserve(count);
  std::int64_t first = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (lengths[i] < 1 || lengths[i] > rows - first)
      throw InvalidArgument("lengths[" + std::to_string(i) + "] is " + std::to_string(lengths[i]) +
                            ", expected 1 to the " + std::to_string(rows - first) +
                            " tokens that are left");
    ranges.push_back({first, lengths[i], i});
    first += lengths[i];
  }
  expect_equal(first, rows, "the sum of lengths");
  return Ragged(std::move(ranges));
}

}  // namespace attnengine
