#pragma once

#include <cstdint>
#include <vector>

#include "core/buffer.h"

namespace attnengine {

// A slot that may have been given to somebody else since: the generation tells.
struct SlotHandle {
  std::int32_t slot;
  std::uint32_t generation;
};

// Shared storage of what tokens leave behind: the state of an RNN after one, or a page of the
// key/value cache. Sequences refer to slots. Storage grows by chunks that never move.
class SlotPool {
 public:
  // `slot_size` in bytes, a multiple of 4
  SlotPool(std::int64_t slot_size, std::int64_t chunk_slots)
      : slot_size_(slot_size), chunk_slots_(chunk_slots) {}

  SlotHandle allocate();
  void retain(SlotHandle handle) { ++counts_[handle.slot]; }
  void release(SlotHandle handle);
  bool valid(SlotHandle handle) const {
    return counts_[handle.slot] > 0 && generations_[handle.slot] == handle.generation;
  }

  bool shared(SlotHandle handle) const { return counts_[handle.slot] > 1; }

  // (slot_size,)
  std::byte* slot(SlotHandle handle) {
    return chunks_[handle.slot / chunk_slots_].bytes(0) + handle.slot % chunk_slots_ * slot_size_;
  }

 private:
  std::int64_t slot_size_;
  std::int64_t chunk_slots_;
  std::vector<Buffer> chunks_;              // of chunk_slots * slot_size bytes
  std::vector<std::int32_t> counts_;        // (slots,) sequences that refer to the slot
  std::vector<std::uint32_t> generations_;  // (slots,) how often the slot was given out
  std::vector<std::int32_t> free_;
};

}  // namespace attnengine
