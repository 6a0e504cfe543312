#include "models/slot_pool.h"

#include <limits>

#include "core/errors.h"

namespace attnengine {

SlotHandle SlotPool::allocate() {
  if (free_.empty()) {
    if (std::int64_t(counts_.size()) > std::numeric_limits<std::int32_t>::max() - chunk_slots_)
      throw Error("a state holds at most 2 ** 31 slots");
    const auto first = static_cast<std::int32_t>(counts_.size());
    Buffer chunk;
    chunk.bytes(chunk_slots_ * slot_size_);
    chunks_.push_back(std::move(chunk));
    counts_.resize(first + chunk_slots_, 0);
    generations_.resize(first + chunk_slots_, 0);
    for (auto slot = static_cast<std::int32_t>(counts_.size()); slot-- > first;)
      free_.push_back(slot);
  }
  const std::int32_t slot = free_.back();
  free_.pop_back();
  counts_[slot] = 1;
  return {slot, ++generations_[slot]};
}

void SlotPool::release(SlotHandle handle) {
  if (--counts_[handle.slot] == 0) free_.push_back(handle.slot);
}

}  // namespace attnengine
