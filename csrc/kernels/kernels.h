#pragma once

#include "core/precision.h"
#include "kernels/steps/attention.h"
#include "kernels/steps/gates.h"
#include "kernels/steps/linear.h"
#include "kernels/steps/logits.h"
#include "kernels/steps/pages.h"
#include "kernels/steps/rotary.h"
#include "kernels/steps/scaled_dot.h"

namespace attnengine {

// Linear layers of one precision.
struct LinearKernels {
  std::int64_t (*bytes)(std::int64_t out, std::int64_t in);     // of a packed weight
  std::int64_t (*scratch)(std::int64_t rows, std::int64_t in);  // bytes that `run` needs
  void (*pack)(const PackStep& step);
  void (*run)(const LinearStep& step);
  void (*unpack)(const UnpackStep& step);
};

// Every kernel of one instruction set.
struct Kernels {
  const char* isa;
  LinearKernels linear[kPrecisions];
  void (*activate)(Activation activation, Matrix x);
  void (*gated_activation)(Activation activation, ConstMatrix both, Matrix y);
  void (*clip)(float limit, Matrix x);
  void (*softmax)(Matrix x);
  void (*log_softmax_top_k)(const TopKStep& step);
  void (*target_log_probs)(ConstMatrix logits, const std::int32_t* targets, double* log_probs);
  void (*layer_norm)(ConstMatrix x, const float* weight, const float* bias, float eps, Matrix y);
  void (*rms_norm)(ConstMatrix x, const float* weight, float eps, Matrix y);
  void (*rotary)(const RotaryStep& step);
  void (*elman_gates)(const GatesStep& step);
  void (*gru_gates)(const GatesStep& step);
  void (*gru_reset)(const GatesStep& step, Matrix reset);
  void (*gru_update)(const GatesStep& step, ConstMatrix candidate);
  void (*lstm_gates)(const GatesStep& step);
  void (*additive_attention)(const AttentionStep& step, const float* v);
  void (*dot_attention)(const AttentionStep& step);
  void (*store_keys_values)(ConstMatrix keys_values, PageHeads heads, const PageCell* cells,
                            std::int64_t offset);
  void (*scaled_dot_attention)(const ScaledDotStep& step);
};

// The table chosen for this machine, best instruction set first; ATTNENGINE_ISA forces one.
// Throws InvalidArgument when the forced one is not available.
const Kernels& kernels();

}  // namespace attnengine
