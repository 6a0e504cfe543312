#pragma once

#include "core/precision.h"

namespace attnengine {

// How a model is built. Each layer and decoder gets them with its weights.
struct BuildSettings {
  Precision precision = Precision::kFloat32;                  // of linear layers
  CachePrecision cache_precision = CachePrecision::kFloat32;  // of keys and values
  int num_threads = 1;                                        // that pack a weight
  bool pack = true;  // false: linear layers reserve their memory, but read no weight
};

}  // namespace attnengine
