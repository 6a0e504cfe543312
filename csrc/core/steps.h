#pragma once

#include <cstddef>

#include "core/matrix.h"
#include "core/precision.h"
#include "core/range.h"

namespace attnengine {

// The arguments of the kernels that take more than four.

enum class Activation {
  kNone,
  kRelu,
  kTanh,
  kSigmoid,
  kGelu,
  kGeluTanh,
  kSilu,
  kHardSigmoid,   // x / 5 + 1/2 limited to [0, 1]
  kHardSigmoid6,  // x / 6 + 1/2 limited to [0, 1]
};

// y = activation(x @ weight.T + bias), or with `add` activation(y + x @ weight.T + bias)
struct LinearStep {
  ConstMatrix x;          // (rows, in)
  const void* packed;     // what `pack` of the same precision made
  const float* bias;      // (out,) or null
  Activation activation;  // of the sum
  Matrix y;               // (rows, out)
  bool add = false;
  void* scratch = nullptr;  // `scratch` bytes of the same precision, at a multiple of 64
};

// Outputs are packed in panels of 16, with zeros after the last output.
constexpr std::int64_t kPanel = 16;
[[gnu::always_inline]] constexpr std::int64_t panel_count(std::int64_t out) {
  return ceil_divide(out, kPanel);
}

// Some panels, [first, last), of some rows of a weight, packed for one precision.
struct PackStep {
  ConstMatrix weight;  // (rows, in), the first of a panel
  std::int64_t first;
  std::int64_t last;
  void* packed;  // that panel and those that follow, at a multiple of 64 bytes
};

// The weights of one output out of a packed weight.
struct UnpackStep {
  const void* packed;  // all of it
  std::int64_t output;
  float* row;  // (in,)
  std::int64_t in;
};

// The encoded sentence that a row attends to.
struct Source {
  const float* keys;    // (length, key_dim)   projected once per sentence
  const float* values;  // (length, value_dim) encoder states
  std::int64_t length;
};

// One decoding step of attention over encoded sentences.
struct AttentionStep {
  ConstMatrix query;      // (rows, key_dim)       projected decoder state
  const Source* sources;  // (rows,)               hypotheses of one sentence share one
  Matrix weights;         // (rows, longest)       softmax of the scores, zero beyond the source
  Matrix context;         // (rows, value_dim)     weights @ values
};

// Added to the scores of a head by the distance, key's position less query's, or by the key alone.
struct ScoreBias {
  const float* table = nullptr;  // (num_heads, 2 * reach + 1), where a distance beyond `reach`
                                 // reads the end; or null
  std::int64_t reach = 0;
  const float* slopes = nullptr;  // (num_heads,) of a distance; or null
  const float* keys = nullptr;    // (num_heads, positions) of keys at a place; or null
  std::int64_t positions = 0;     // at least as many as any row sees
};

// Keys and values lie in pages of kPage positions. For each key head a page has the keys side by
// side, (head_dim, kPage), so that the scores of a page are a product, and then the values,
// (kPage, value_stride). In int8 their scales come before them, float32: (kPage,) of the keys and
// (kPage,) of the values.
constexpr std::int64_t kPage = 16;
[[gnu::always_inline]] constexpr std::int64_t pages_of(std::int64_t positions) {
  return ceil_divide(positions, kPage);
}
[[gnu::always_inline]] constexpr std::int64_t value_stride(std::int64_t head_dim) {
  return ceil_divide(head_dim, 16) * 16;
}

constexpr std::int64_t kScaleBytes = 2 * kPage * std::int64_t(sizeof(float));

// Key heads that lie behind one another in a page, such as those of all layers.
struct PageHeads {
  std::int64_t count;
  std::int64_t head_dim;
  CachePrecision precision;

  [[gnu::always_inline]] std::int64_t scale_bytes() const {
    return precision == CachePrecision::kInt8 ? kScaleBytes : 0;
  }
  [[gnu::always_inline]] std::int64_t head_bytes() const {
    return scale_bytes() + kPage * (head_dim + value_stride(head_dim)) * bytes_of(precision);
  }
  [[gnu::always_inline]] std::int64_t bytes() const { return count * head_bytes(); }
};

// Where the keys and values of a row go.
struct PageCell {
  std::byte* page;
  std::int64_t place;  // below kPage
};

// What a row attends to.
struct Sight {
  const std::byte* const* pages;  // of the positions from 0 on
  std::int64_t begin;             // the first position seen
  std::int64_t end;               // after the last one, above `begin`
  std::int64_t place;             // of the row itself, for distances
};

// Scaled dot-product attention of many heads over positions in pages.
struct ScaledDotStep {
  ConstMatrix query;         // (rows, at least num_heads * head_dim)
  const Sight* sights;       // (rows,)
  std::int64_t page_offset;  // bytes from a page to its first key head
  std::int64_t num_heads;
  PageHeads kv_heads;  // whose count divides num_heads
  float scale;
  Matrix context;       // (rows, num_heads * head_dim)
  Matrix weights = {};  // (rows * num_heads, positions) or no data; zero where a row does not see
  float score_cap = 0;  // scores become cap * tanh(score / cap); 0: they stay
  ScoreBias bias = {};
};

// Rotary position embedding of heads that lie side by side.
struct RotaryStep {
  Matrix x;             // (rows, at least num_heads * head_dim)
  ConstMatrix cosines;  // (rows, half) of the row's angles
  ConstMatrix sines;    // (rows, half)
  std::int64_t num_heads;
  std::int64_t head_dim;  // at least 2 * half
};

// How a recurrent cell computes its gates.
struct CellOptions {
  Activation nonlinearity = Activation::kTanh;  // of the candidate, and of what an LSTM gives out
  Activation gate = Activation::kSigmoid;       // GRU, LSTM
  const float* peepholes = nullptr;             // (3 * hidden,) of i, f and o, or null; LSTM
  float cell_clip = __builtin_inff();           // LSTM
};

// One step of a recurrent cell after its two products.
struct GatesStep {
  ConstMatrix input;      // (rows, gates * hidden)  x @ weight_ih.T + bias_ih
  ConstMatrix recurrent;  // (rows, gates * hidden)  h @ weight_hh.T + bias_hh; of a GRU that
                          // resets before the product (rows, 2 * hidden), r and z
  ConstMatrix state;      // (rows, hidden) GRU: hidden of the step before; LSTM: cell
  Matrix hidden;          // (rows, hidden) out
  Matrix cell;            // (rows, hidden) out, LSTM only
  CellOptions options;
};

// Rows of logits are summed in blocks of so many, which threads share out.
constexpr std::int64_t kLogitBlock = 1024;
[[gnu::always_inline]] constexpr std::int64_t logit_blocks(std::int64_t vocab_size) {
  return ceil_divide(vocab_size, kLogitBlock);
}

// The best k log-probabilities of each row, best first; of equal ones the lower token. Where fewer
// than k logits are above -infinity the rest are token -1.
struct TopKStep {
  ConstMatrix logits;    // (rows, vocab_size)
  std::int64_t k;        // at most vocab_size
  float* log_probs;      // (rows, k)
  std::int32_t* tokens;  // (rows, k)
  double* log_sums;  // (rows,) log of the sum of exp(logits), NaN when a logit is: in double, as
                     // a likely token's log-probability is a small difference of large numbers
  float* maxima;     // (rows, logit_blocks(vocab_size)) scratch
  float* sums;       // (rows, logit_blocks(vocab_size)) scratch
};

}  // namespace attnengine
