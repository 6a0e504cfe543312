#pragma once

#include "kernels/steps/attention.h"

namespace attnengine::ATTNENGINE_ISA {

// Bahdanau's score, v . tanh(query + key); v (key_dim,)
void additive_attention(const AttentionStep& step, const float* v);

// Luong's score, query . key
void dot_attention(const AttentionStep& step);

}  // namespace attnengine::ATTNENGINE_ISA
