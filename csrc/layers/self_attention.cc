#include "layers/self_attention.h"

#include "kernels/kernels.h"

namespace attnengine {

void run_self_attention(const MultiHeadAttention& attention, ConstMatrix x, const PagedRows& rows,
                        Matrix out, bool add, AttentionScratch& scratch) {
  const Matrix projected = project(attention, x, scratch);
  const Matrix context = scratch.context.matrix(x.rows, attention.query_size());
  const Matrix keys_values = columns_from(projected, attention.query_size());
  const PageHeads heads = attention.page_heads(rows.precision);
  kernels().store_keys_values(constant(keys_values), heads, rows.cells, rows.offset);
  ScaledDotStep step{constant(projected), rows.visible, rows.offset, attention.num_heads, heads,
                     attention.scale,     context};
  step.score_cap = attention.score_cap;
  if (attention.position_bias) step.bias = attention.position_bias->view();
  attend(step, scratch.record);
  (*attention.output)(constant(context), out, Activation::kNone, add);
}

}  // namespace attnengine
