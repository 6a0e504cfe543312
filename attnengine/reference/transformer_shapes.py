"""Names and shapes of the weights of Transformers."""

from __future__ import annotations

from attnengine.reference.weights import Config

Shapes = dict[str, tuple[int, ...]]

# The attentions in a layer of each side of an encoder-decoder.
SIDES = {"encoder": ("self_attn",), "decoder": ("self_attn", "encoder_attn")}


def dense_shapes(name: str, out: int, size: int) -> Shapes:
    """A linear layer with bias."""
    return {f"{name}.weight": (out, size), f"{name}.bias": (out,)}


def norm_shapes(name: str, size: int) -> Shapes:
    """A layer norm."""
    return {f"{name}.weight": (size,), f"{name}.bias": (size,)}


def prefixed(prefix: str, shapes: Shapes) -> Shapes:
    """Shapes with prefix before every name."""
    return {prefix + name: shape for name, shape in shapes.items()}


def is_tied(config: Config) -> bool:
    """Whether the output layer has the weights of the embedding."""
    default = config["architecture"] in ("gpt2", "marian")
    return bool(config.get("tied_output", config.get("tie_word_embeddings", default)))


def transformer_layer_shapes(config: Config, attentions: tuple[str, ...]) -> Shapes:
    """One layer: its attentions, then the feed-forward network."""
    hidden, intermediate = config["hidden_size"], config["intermediate_size"]
    shapes = dense_shapes("fc1", intermediate, hidden) | dense_shapes("fc2", hidden, intermediate)
    for attention in attentions:
        for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= dense_shapes(f"{attention}.{projection}", hidden, hidden)
        shapes |= norm_shapes(f"{attention}_layer_norm", hidden)
    return shapes | norm_shapes("final_layer_norm", hidden)


def recurrence_shapes(config: Config, kind: str) -> Shapes:
    """What stands in the place of a decoder layer's self-attention, and its norm."""
    size, wide = config["hidden_size"], config.get("average_intermediate_size")
    shapes = norm_shapes("self_attn_layer_norm", size)
    if kind == "ssru":
        return (
            shapes
            | dense_shapes("ssru.forget", size, size)
            | dense_shapes("ssru.input", size, size)
        )
    shapes |= dense_shapes("average.gate", 2 * size, 2 * size)
    if wide:
        shapes |= dense_shapes("average.fc1", wide, size) | dense_shapes("average.fc2", size, wide)
    return shapes


def transformer_shapes(config: Config) -> Shapes:
    """Architecture "transformer"."""
    hidden, vocab = config["hidden_size"], config["target_vocab_size"]
    shapes: Shapes = {"encoder.embed_tokens.weight": (config["source_vocab_size"], hidden)}
    if not config["shared_embeddings"]:
        shapes["decoder.embed_tokens.weight"] = (vocab, hidden)
    shapes |= dense_shapes("lm_head", vocab, hidden)
    if config["tied_output"]:
        del shapes["lm_head.weight"]
    for side, attentions in SIDES.items():
        if config["positions"] == "learned":
            rows = config["max_positions"] + config["position_offset"]
            shapes[f"{side}.embed_positions.weight"] = (rows, hidden)
        if config["final_norm"]:
            shapes |= norm_shapes(f"{side}.layer_norm", hidden)
        for i in range(config[f"{side}_num_layers"]):
            kind = config.get("decoder_self_attention", "attention") if side == "decoder" else ""
            if kind in ("ssru", "average"):
                layer = transformer_layer_shapes(config, attentions[1:])
                layer |= recurrence_shapes(config, kind)
            else:
                layer = transformer_layer_shapes(config, attentions)
            shapes |= prefixed(f"{side}.layers.{i}.", layer)
    return shapes


def llama_shapes(config: Config) -> Shapes:
    """Architectures "llama", "mistral" and "qwen2"; which layers have a bias, the switches say."""
    size, wide = config["hidden_size"], config["intermediate_size"]
    num_heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or size // num_heads
    keys = (config.get("num_key_value_heads") or num_heads) * head_dim
    attention = {"q": (num_heads * head_dim, size), "k": (keys, size), "v": (keys, size)}
    shapes: Shapes = {}
    for i in range(config["num_hidden_layers"]):
        layer = Shapes()
        for part, shape in attention.items():
            layer |= dense_shapes(f"self_attn.{part}_proj", *shape)
        layer |= dense_shapes("self_attn.o_proj", size, num_heads * head_dim)
        for part, shape in {"gate": (wide, size), "up": (wide, size), "down": (size, wide)}.items():
            layer |= dense_shapes(f"mlp.{part}_proj", *shape)
        for part in ("input_layernorm", "post_attention_layernorm"):
            layer[f"{part}.weight"] = (size,)
        shapes |= prefixed(f"model.layers.{i}.", layer)
    shapes = {name: shape for name, shape in shapes.items() if has_llama_bias(config, name)}
    shapes |= {"model.embed_tokens.weight": (config["vocab_size"], size)}
    if not is_tied(config):
        shapes["lm_head.weight"] = (config["vocab_size"], size)
    return shapes | {"model.norm.weight": (size,)}


def has_llama_bias(config: Config, name: str) -> bool:
    """False for a bias that a layer of Llama or Qwen2 does not have."""
    if not name.endswith(".bias"):
        return True
    if "mlp" in name:
        return bool(config.get("mlp_bias", False))
    if config["architecture"] == "qwen2":
        return "o_proj" not in name
    return bool(config.get("attention_bias", False))


def gpt2_shapes(config: Config) -> Shapes:
    """Architecture "gpt2"; linear layers are stored (in, out)."""
    size = config["n_embd"]
    wide = config.get("n_inner") or 4 * size
    linear = {
        "attn.c_attn": (size, 3 * size),
        "attn.c_proj": (size, size),
        "mlp.c_fc": (size, wide),
        "mlp.c_proj": (wide, size),
    }
    shapes: Shapes = {
        "transformer.wte.weight": (config["vocab_size"], size),
        "transformer.wpe.weight": (config["n_positions"], size),
    } | norm_shapes("transformer.ln_f", size)
    for i in range(config["n_layer"]):
        layer = norm_shapes("ln_1", size) | norm_shapes("ln_2", size)
        for name, shape in linear.items():
            layer |= {f"{name}.weight": shape, f"{name}.bias": shape[1:]}
        shapes |= prefixed(f"transformer.h.{i}.", layer)
    if not is_tied(config):
        shapes["lm_head.weight"] = (config["vocab_size"], size)
    return shapes


def marian_shapes(config: Config) -> Shapes:
    """Architecture "marian"."""
    size, shapes = config["d_model"], Shapes()
    for side, attentions in SIDES.items():
        sizes = {"hidden_size": size, "intermediate_size": config[f"{side}_ffn_dim"]}
        for i in range(config[f"{side}_layers"]):
            layer = transformer_layer_shapes(sizes, attentions)
            shapes |= prefixed(f"model.{side}.layers.{i}.", layer)
    vocab = config["target_vocab_size"]
    if config.get("share_encoder_decoder_embeddings", True):
        shapes["model.shared.weight"] = (vocab, size)
    else:
        shapes["model.encoder.embed_tokens.weight"] = (config["source_vocab_size"], size)
        shapes["model.decoder.embed_tokens.weight"] = (vocab, size)
    if not is_tied(config):
        shapes["lm_head.weight"] = (vocab, size)
    return shapes | {"final_logits_bias": (1, vocab)}
