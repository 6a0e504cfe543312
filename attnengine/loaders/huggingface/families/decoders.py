"""Language models."""

from __future__ import annotations

from attnengine.loaders.huggingface.families.family import TIED_HEAD, Family, Tie

_GPT2 = Family(
    prefix="transformer.",
    defaults={
        "bos_token_id": 50256,
        "eos_token_id": 50256,
        "n_positions": 1024,
        "n_ctx": None,
        "n_inner": None,  # 4 * n_embd
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "scale_attn_weights": True,
        "scale_attn_by_inverse_layer_idx": False,
        TIED_HEAD: True,
    },
    buffers=r"\.attn\.(bias|masked_bias)$",  # the causal mask
    unused=("n_special", "predict_special_tokens"),  # of GPT-1
    neutral={"add_cross_attention": False},
    ties=(Tie("transformer.wte.weight", "lm_head.weight", (TIED_HEAD,)),),
)

DECODERS = {"gpt2": _GPT2}
