#include "kernels/activations.h"
#include "kernels/attention.h"
#include "kernels/kernels.h"
#include "kernels/linear.h"
#include "kernels/norm.h"
#include "kernels/rnn_gates.h"
#include "kernels/rotary.h"
#include "kernels/scaled_dot_attention.h"
#include "kernels/softmax.h"

#define ATTNENGINE_NAME_OF(isa) #isa
#define ATTNENGINE_NAME(isa) ATTNENGINE_NAME_OF(isa)

namespace attnengine::ATTNENGINE_ISA {

extern const Kernels table;

const Kernels table{
    ATTNENGINE_NAME(ATTNENGINE_ISA),
    pack_linear,
    linear,
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
    scaled_dot_attention,
};

}  // namespace attnengine::ATTNENGINE_ISA
