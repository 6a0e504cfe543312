"""Names and shapes of the weights of Transformers."""

from __future__ import annotations

from attnengine.reference.weights import Config

Shapes = dict[str, tuple[int, ...]]

# The attention blocks in an encoder layer and in a decoder layer.
SIDES = {"encoder": ("self_attn",), "decoder": ("self_attn", "encoder_attn")}


def dense_shapes(name: str, out: int, size: int) -> Shapes:
    """A linear layer with bias."""
    return {f"{name}.weight": (out, size), f"{name}.bias": (out,)}


def norm_shapes(name: str, size: int) -> Shapes:
    """A layer norm."""
    return {f"{name}.weight": (size,), f"{name}.bias": (size,)}


def prefixed(prefix: str, shapes: Shapes) -> Shapes:
    """Put a prefix before every name."""
    return {prefix + name: shape for name, shape in shapes.items()}


def is_tied(config: Config) -> bool:
    """Whether the output layer shares the weights of the embedding."""
    default = config["architecture"] in ("gpt2", "marian", "t5", "mt5", "umt5", "whisper")
    return bool(config.get("tied_output", config.get("tie_word_embeddings", default)))


def transformer_layer_shapes(config: Config, attentions: tuple[str, ...]) -> Shapes:
    """One layer: its attention blocks, then the feed-forward network."""
    hidden, intermediate = config["hidden_size"], config["intermediate_size"]
    shapes = dense_shapes("fc1", intermediate, hidden) | dense_shapes("fc2", hidden, intermediate)
    for attention in attentions:
        for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= dense_shapes(f"{attention}.{projection}", hidden, hidden)
        shapes |= norm_shapes(f"{attention}_layer_norm", hidden)
    return shapes | norm_shapes("final_layer_norm", hidden)


def recurrence_shapes(config: Config, kind: str) -> Shapes:
    """A recurrence in the place of a decoder layer's self-attention, and its norm."""
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


def transformer_side_shapes(
    config: Config, side: str, num_layers: int, attentions: tuple[str, ...]
) -> Shapes:
    """The positions, layers and final norm of a side, "encoder" or "decoder"."""
    hidden, shapes = config["hidden_size"], Shapes()
    if config["positions"] == "learned":
        rows = config["max_positions"] + config["position_offset"]
        shapes["embed_positions.weight"] = (rows, hidden)
    if config["final_norm"]:
        shapes |= norm_shapes("layer_norm", hidden)
    if config.get("embedding_norm", False):
        shapes |= norm_shapes("layernorm_embedding", hidden)
    kind = config.get("decoder_self_attention", "attention") if side == "decoder" else "attention"
    if kind == "attention":
        layer = transformer_layer_shapes(config, attentions)
    else:
        layer = transformer_layer_shapes(config, attentions[1:]) | recurrence_shapes(config, kind)
    for i in range(num_layers):
        shapes |= prefixed(f"layers.{i}.", layer)
    return prefixed(f"{side}.", shapes)


def head_shapes(config: Config, vocab: int) -> Shapes:
    """The output layer; a tied output has no weight of its own."""
    shapes = dense_shapes("lm_head", vocab, config["hidden_size"])
    if config["tied_output"]:
        del shapes["lm_head.weight"]
    return shapes


def transformer_shapes(config: Config) -> Shapes:
    """Architecture "transformer"."""
    hidden, vocab = config["hidden_size"], config["target_vocab_size"]
    shapes: Shapes = {"encoder.embed_tokens.weight": (config["source_vocab_size"], hidden)}
    if not config["shared_embeddings"]:
        shapes["decoder.embed_tokens.weight"] = (vocab, hidden)
    for side, attentions in SIDES.items():
        layers = config[f"{side}_num_layers"]
        shapes |= transformer_side_shapes(config, side, layers, attentions)
    return shapes | head_shapes(config, vocab)


def transformer_lm_shapes(config: Config) -> Shapes:
    """Architecture "transformer_lm"."""
    vocab = config["vocab_size"]
    shapes: Shapes = {"decoder.embed_tokens.weight": (vocab, config["hidden_size"])}
    shapes |= transformer_side_shapes(config, "decoder", config["num_layers"], ("self_attn",))
    return shapes | head_shapes(config, vocab)


def llama_shapes(config: Config) -> Shapes:
    """Architectures "llama", "mistral", "mixtral" and "qwen2"; the config gives the biases."""
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
        layer |= prefixed("mlp.", gated_shapes(size, wide, config.get("num_local_experts")))
        for part in ("input_layernorm", "post_attention_layernorm"):
            layer[f"{part}.weight"] = (size,)
        shapes |= prefixed(f"model.layers.{i}.", layer)
    shapes = {name: shape for name, shape in shapes.items() if has_llama_bias(config, name)}
    shapes |= {"model.embed_tokens.weight": (config["vocab_size"], size)}
    if not is_tied(config):
        shapes["lm_head.weight"] = (config["vocab_size"], size)
    return shapes | {"model.norm.weight": (size,)}


def gated_shapes(size: int, wide: int, experts: int | None) -> Shapes:
    """A gated feed-forward network, or stacked experts and their router."""
    if experts is not None:
        return {
            "gate.weight": (experts, size),
            "experts.gate_up_proj": (experts, 2 * wide, size),
            "experts.down_proj": (experts, size, wide),
        }
    shapes: Shapes = {}
    for part, shape in {"gate": (wide, size), "up": (wide, size), "down": (size, wide)}.items():
        shapes |= dense_shapes(f"{part}_proj", *shape)
    return shapes


def has_llama_bias(config: Config, name: str) -> bool:
    """Return False for a bias that a layer of Llama or Qwen2 does not have, else True."""
    if not name.endswith(".bias"):
        return True
    if "mlp" in name:
        return bool(config.get("mlp_bias", False))
    if config["architecture"] == "qwen2":
        return "o_proj" not in name
    return bool(config.get("attention_bias", False))


def gpt2_shapes(config: Config) -> Shapes:
    """Architecture "gpt2"; weights of linear layers are (in, out)."""
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


def t5_shapes(config: Config) -> Shapes:
    """Architectures "t5", "mt5" and "umt5"."""
    size, own_biases = config["d_model"], config["architecture"] == "umt5"
    counts = {"encoder": config["num_layers"], "decoder": config["num_decoder_layers"]}
    attentions = {"encoder": ("SelfAttention",), "decoder": ("SelfAttention", "EncDecAttention")}
    shapes: Shapes = {"shared.weight": (config["source_vocab_size"], size)}
    if not is_tied(config):
        shapes["lm_head.weight"] = (config["target_vocab_size"], size)
    for side, count in counts.items():
        shapes[f"{side}.final_layer_norm.weight"] = (size,)
        for i in range(count):
            block = t5_block_shapes(config, attentions[side])
            if i > 0 and not own_biases:
                del block["layer.0.SelfAttention.relative_attention_bias.weight"]
            shapes |= prefixed(f"{side}.block.{i}.", block)
    return shapes


def t5_block_shapes(config: Config, attentions: tuple[str, ...]) -> Shapes:
    """A layer of T5: attention blocks with the position bias, then the feed-forward network."""
    size, wide, heads = config["d_model"], config["d_ff"], config["num_heads"] * config["d_kv"]
    gated = config["feed_forward_proj"].startswith("gated")
    attention: Shapes = {f"{part}.weight": (heads, size) for part in "qkv"}
    attention["o.weight"] = (size, heads)
    dense: Shapes = {
        f"{up}.weight": (wide, size) for up in (("wi_0", "wi_1") if gated else ("wi",))
    }
    dense["wo.weight"] = (size, wide)
    table = config["relative_attention_num_buckets"], config["num_heads"]
    shapes: Shapes = {"layer.0.SelfAttention.relative_attention_bias.weight": table}
    for i, name in enumerate((*attentions, "DenseReluDense")):
        shapes |= prefixed(f"layer.{i}.{name}.", attention if name in attentions else dense)
        shapes[f"layer.{i}.layer_norm.weight"] = (size,)
    return shapes


def whisper_shapes(config: Config) -> Shapes:
    """Architecture "whisper"."""
    size, vocab = config["d_model"], config["vocab_size"]
    shapes: Shapes = {
        "encoder.conv1.weight": (size, config["num_mel_bins"], 3),
        "encoder.conv1.bias": (size,),
        "encoder.conv2.weight": (size, size, 3),
        "encoder.conv2.bias": (size,),
        "encoder.embed_positions.weight": (config["max_source_positions"], size),
        "decoder.embed_positions.weight": (config["max_target_positions"], size),
        "decoder.embed_tokens.weight": (vocab, size),
    }
    for side, attentions in SIDES.items():
        sizes = {"hidden_size": size, "intermediate_size": config[f"{side}_ffn_dim"]}
        shapes |= norm_shapes(f"{side}.layer_norm", size)
        for i in range(config[f"{side}_layers"]):
            layer = transformer_layer_shapes(sizes, attentions)
            shapes |= prefixed(f"{side}.layers.{i}.", layer)
    shapes = prefixed("model.", shapes)
    return shapes if is_tied(config) else shapes | {"proj_out.weight": (vocab, size)}
