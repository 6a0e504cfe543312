#include "kernels/activations.h"
#include "kernels/attention.h"
#include "kernels/kernels.h"
#include "kernels/linear.h"
#include "kernels/linear_bfloat16.h"
#include "kernels/linear_int4.h"
#include "kernels/linear_int8.h"
#include "kernels/norm.h"
#include "kernels/quantise.h"
#include "kernels/rnn_gates.h"
#include "kernels/rotary.h"
#include "kernels/scaled_dot_attention.h"
#include "kernels/softmax.h"
#include "kernels/store_keys_values.h"
#include "kernels/unpack.h"

#define ATTNENGINE_NAME_OF(isa) #isa
#define ATTNENGINE_NAME(isa) ATTNENGINE_NAME_OF(isa)

namespace attnengine::ATTNENGINE_ISA {

extern const Kernels table;

namespace {
std::int64_t no_scratch(std::int64_t, std::int64_t) { return 0; }
}  // namespace

const Kernels table{
    ATTNENGINE_NAME(ATTNENGINE_ISA),
    {
        {packed_linear_bytes, no_scratch, pack_linear, linear, unpack_linear},  // float32
        {packed_bfloat16_bytes, rounded_bytes, pack_linear_bfloat16, linear_bfloat16,
         unpack_linear_bfloat16},
        {packed_int8_bytes, quantised_bytes, pack_linear_int8, linear_int8, unpack_linear_int8},
        {packed_int4_bytes, quantised_bytes, pack_linear_int4, linear_int4, unpack_linear_int4},
    },
    activate,
    gated_activation,
    clip,
    softmax,
    log_softmax_top_k,
    target_log_probs,
    layer_norm,
    rms_norm,
    rotary,
    elman_gates,
    gru_gates,
    gru_reset,
    gru_update,
    lstm_gates,
    additive_attention,
    dot_attention,
    store_keys_values,
    scaled_dot_attention,
};

}  // namespace attnengine::ATTNENGINE_ISA
