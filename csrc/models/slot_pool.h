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

// Shared storage of what one token leaves behind: the state of an RNN, or a position of a key/value
// cache. Sequences refer to slots and never copy them. Storage grows by chunks that never move.
class SlotPool {
 public:
  static constexpr std::int64_t kChunkSlots = 64;

  // `slot_size` in floats; how the slots of a chunk are laid out is the user's.
  explicit SlotPool(std::int64_t slot_size) : slot_size_(slot_size) {}

  SlotHandle allocate();
  void retain(SlotHandle handle) { ++counts_[handle.slot]; }
  void release(SlotHandle handle);
  bool valid(SlotHandle handle) const {
    return counts_[handle.slot] > 0 && generations_[handle.slot] == handle.generation;
  }

  // The start of the chunk that holds the slot, and its place in there.
  float* chunk(SlotHandle handle) { return chunks_[handle.slot / kChunkSlots].floats(0); }
  static std::int64_t place(SlotHandle handle) { return handle.slot % kChunkSlots; }

 private:
  std::int64_t slot_size_;
  std::vector<Buffer> chunks_;              // of kChunkSlots * slot_size floats
  std::vector<std::int32_t> counts_;        // (slots,) sequences that refer to the slot
  std::vector<std::uint32_t> generations_;  // (slots,) how often the slot was given out
  std::vector<std::int32_t> free_;
};

}  // namespace attnengine
