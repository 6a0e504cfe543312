#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/buffer.h"
#include "kernels/steps/scaled_dot.h"
#include "layers/attention_record.h"
#include "layers/linear.h"
#include "layers/norm.h"
#include "layers/rotary.h"

namespace attnengine {

// Added to a head's scores by the distance from query to key: T5's table (Raffel et al. 2020), or
// the slopes of ALiBi (Press et al. 2022); or by the key's position.
struct PositionBias {
  std::vector<float> table;  // (num_heads, 2 * reach + 1), or empty
  std::int64_t reach = 0;
  std::vector<float> slopes;  // (num_heads,), or empty
  std::vector<float> keys;    // (num_heads, positions), or empty
  std::int64_t positions = 0;

  ScoreBias view() const;
};

// The projections of attention with many heads: of self-attention in one product, of
// cross-attention that of the rows and that of the source. Several query heads may share a
// key/value head.
struct MultiHeadAttention {
  std::shared_ptr<const Linear> query_key_value;  // ((num_heads + 2 * num_kv_heads) * head_dim,
                                                  // hidden), or null
  std::shared_ptr<const Linear> query;            // (num_heads * head_dim, hidden), or null
  std::shared_ptr<const Linear> key_value;        // (2 * num_kv_heads * head_dim, hidden), or null
  std::shared_ptr<const Linear> output;           // (hidden, num_heads * head_dim)
  std::int64_t num_heads = 1;
  std::int64_t num_kv_heads = 1;
  std::shared_ptr<const Rotary> rotary;  // or null
  float scale = 1;                       // of the scores
  std::int64_t window = 0;               // how far a row sees, 0: everything. A decoder's row sees
                                         // `window` positions, an encoder's as many to each side
  float score_cap = 0;
  float clip = 0;  // queries, keys and values become -clip to clip; 0: stay
  std::shared_ptr<const Norm> query_norm, key_norm;   // before the rotary, of a head or of a row;
                                                      // or null
  std::shared_ptr<const PositionBias> position_bias;  // or null

  std::int64_t head_dim() const { return output->in() / num_heads; }
  std::int64_t query_size() const { return output->in(); }
  std::int64_t key_size() const { return num_kv_heads * head_dim(); }
  PageHeads page_heads(CachePrecision precision) const {
    return {num_kv_heads, head_dim(), precision};
  }
  // Throws InvalidArgument, naming the attention, when the sizes do not fit rows of `size`.
  void check(std::int64_t size, const std::string& name) const;
};

// The angles of a step's rows, computed once for each rotary that its layers share.
class Angles {
 public:
  struct Table {
    const Rotary* rotary;
    Buffer cosine_buffer, sine_buffer;
    Matrix cosines, sines;  // (rows, half)
  };

  // positions (rows,) must live as long as the step
  void start(const std::int64_t* positions, std::int64_t rows);
  const Table& of(const Rotary& rotary);

 private:
  const std::int64_t* positions_ = nullptr;
  std::int64_t rows_ = 0;
  std::size_t used_ = 0;
  std::deque<Table> tables_;  // a step leaves them for the next: their memory is kept
};

struct AttentionScratch {
  Buffer projected;  // (rows, query_size + 2 * key_size), of cross-attention (rows, query_size)
  Buffer context;    // (rows, query_size)
  Buffer heads;      // (rows, heads * head_dim) of a norm
  Buffer pages;      // the keys and values of whole sentences, in the layer at hand
  Angles angles;
  AttentionRecord* record = nullptr;  // where self-attention leaves its weights, or null
};

// x (rows, hidden) -> queries, keys and values side by side (rows, query_size + 2 * key_size),
// normed and turned; lies in the scratch.
Matrix project(const MultiHeadAttention& attention, ConstMatrix x, AttentionScratch& scratch);

}  // namespace attnengine
