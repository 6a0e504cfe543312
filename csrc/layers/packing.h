#pragma once

#include "core/precision.h"

namespace attnengine {

// How the layers that a thread makes are packed, and what its decoders keep.
struct Packing {
  int num_threads = 1;
  Precision precision = Precision::kFloat32;        // of layers that are given none
  CachePrecision cache = CachePrecision::kFloat32;  // of keys and values
};
const Packing& packing();  // of the calling thread
// That of the layer which gives logits: they suffer most from 4 bits, and have 8 then.
Precision logits_precision();
void set_packing(const Packing& chosen);

}  // namespace attnengine
