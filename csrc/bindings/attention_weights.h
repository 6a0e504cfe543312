#pragma once

#include <algorithm>

#include "bindings/arrays.h"
#include "layers/attention_record.h"

namespace attnengine {

// Copies recorded attention weights to an array (layers, heads, query, key).
inline FloatArray attention_weights(const AttentionRecord& record) {
  const std::int64_t heads = record.heads(), rows = record.rows(), keys = record.keys();
  FloatArray weights({record.attentions(), heads, rows, keys});
  float* out = weights.mutable_data();
  for (std::int64_t layer = 0; layer < record.attentions(); ++layer)
    for (std::int64_t head = 0; head < heads; ++head)
      for (std::int64_t row = 0; row < rows; ++row, out += keys)
        std::copy_n(record.data() + ((layer * rows + row) * heads + head) * keys, keys, out);
  return weights;
}

}  // namespace attnengine
