"""Language models that came after GPT-2 and before or beside Llama."""

from __future__ import annotations

from typing import Any

from attnengine.loaders.names.huggingface.family import TIED_HEAD, Family, Tie


def _tied_to(embedding: str) -> tuple[Tie, ...]:
    return (Tie(embedding, "lm_head.weight", (TIED_HEAD,)),)


_ROTARY: dict[str, Any] = {"rope_theta": 10000.0, "rope_scaling": None}

_GPT_NEOX = Family(
    prefix="gpt_neox.",
    defaults={
        "bos_token_id": 0,
        "eos_token_id": 2,
        "max_position_embeddings": 2048,
        "layer_norm_eps": 1e-5,
        "hidden_act": "gelu",
        **_ROTARY,
        "partial_rotary_factor": 0.25,
        "use_parallel_residual": True,
        "attention_bias": True,
        TIED_HEAD: False,
    },
    buffers=r"\.attention\.(bias|masked_bias)$|\.rotary_emb\.",
    ties=_tied_to("gpt_neox.embed_in.weight"),
    spellings={"rotary_pct": "partial_rotary_factor", "rotary_emb_base": "rope_theta"},
    renames=((r"^gpt_neox\.embed_out\.", "lm_head."),),
)

GPTS = {"gpt_neox": _GPT_NEOX}
