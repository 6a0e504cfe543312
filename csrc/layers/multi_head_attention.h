#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/buffer.h"
#include "core/steps.h"
#include "layers/linear.h"
#include "layers/norm.h"
#include "layers/rotary.h"

namespace attnengine {

// Added to a head's scores by the distance from query to key: T5's table (Raffel et al. 2020), or
// the slopes of ALiBi (Press et al. 2022).
struct PositionBias {
  std::vector<float> table;  // (num_heads, 2 * reach + 1), or empty
  std::int64_t reach = 0;
  std::vector<float> slopes;  // (num_heads,), or empty

  ScoreBias view() const;
};

// The projections of attention with many heads; keys and values in one product. Several query heads
// may share a key/value head.
struct MultiHeadAttention {
  std::shared_ptr<const Linear> query;      // (num_heads * head_dim, hidden)
  std::shared_ptr<const Linear> key_value;  // (2 * num_kv_heads * head_dim, hidden)
  std::shared_ptr<const Linear> output;     // (hidden, num_heads * head_dim)
  std::int64_t num_heads = 1;
  std::int64_t num_kv_heads = 1;
  std::shared_ptr<const Rotary> rotary;  // or null
  float scale = 1;                       // of the scores
  std::int64_t window = 0;               // how far a row sees, 0: everything. A decoder's row sees
                                         // `window` positions, an encoder's as many to each side
  float score_cap = 0;
  std::shared_ptr<const Norm> query_norm, key_norm;   // before the rotary, of a head or of a row;
                                                      // or null
  std::shared_ptr<const PositionBias> position_bias;  // or null

  std::int64_t head_dim() const { return query->out() / num_heads; }
  std::int64_t key_size() const { return num_kv_heads * head_dim(); }
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
  Buffer query, key_value, context;  // (rows, heads * head_dim), (rows, 2 * key_size), as query
  Buffer heads;                      // (rows, heads * head_dim) of a norm
  Angles angles;
};

// Queries (rows, heads * head_dim), and keys and values (rows, 2 * key_size).
struct Projected {
  Matrix query;
  Matrix key_value;
};

// x (rows, hidden) -> what attends, normed and turned; lies in the scratch.
Projected project(const MultiHeadAttention& attention, ConstMatrix x, AttentionScratch& scratch);

}  // namespace attnengine
