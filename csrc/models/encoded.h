#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/buffer.h"

namespace attnengine {

// One encoded sentence: what a decoder needs of it, computed once whatever the beam.
struct EncodedSource {
  std::int64_t length;
  std::int64_t size;  // of a state
  Buffer states;      // (length, size)
  Buffer keys;        // RNN: (length, key_dim) unless the states are the keys; Transformer: pages
                      // with the key heads of every layer
  Buffer initial;     // RNN: (slot_size,) the state before the first step
  std::vector<const std::byte*> pages;  // Transformer: of `keys`
};

// Encoded sentences, in the order given.
struct Encoded {
  std::int64_t decoder;  // the Decoder::id() that they are laid out for
  std::vector<std::shared_ptr<const EncodedSource>> sources;
};

}  // namespace attnengine
