"""Models from CTranslate2's converters, in every precision of CTranslate2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attnengine as ae

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

PRECISIONS = (
    *("float32", "float16", "bfloat16", "int16"),
    *("int8", "int8_float32", "int8_float16", "int8_bfloat16"),
)
TOKENS = ["<pad>", "<s>", "</s>", "<unk>", *(f"t{i}" for i in range(20))]
TEXT, TARGET = ["t1", "t5", "t3", "t9"], ["t4", "t7"]
SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
WIDTHS = {
    "d_model": 16,
    **dict.fromkeys(("encoder_layers", "decoder_layers"), 2),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 4),
    **dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 20),
}
SEQ2SEQ = {"vocab_size": len(TOKENS), "max_position_embeddings": 40, **WIDTHS, **SPECIAL}
GATED = {
    "vocab_size": len(TOKENS),
    "hidden_size": 16,
    "intermediate_size": 20,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    **SPECIAL,
}
GPT2 = {"vocab_size": len(TOKENS), "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 32}

# Family -> prefix of its Config and Loader, model class, options, expected keys of our config.
LANGUAGE_MODELS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "gpt2": ("GPT2", "GPT2LMHeadModel", GPT2 | SPECIAL, {"tied_output": True}),
    "opt": (
        "OPT",
        "OPTForCausalLM",
        {k: v for k, v in GATED.items() if k != "intermediate_size"} | {"ffn_dim": 20},
        {"architecture": "transformer_lm", "activation": "relu"},
    ),
    "llama": ("Llama", "LlamaForCausalLM", GATED, {"architecture": "llama"}),
    "qwen2": (
        "Qwen2",
        "Qwen2ForCausalLM",
        GATED | {"tie_word_embeddings": True},
        {"architecture": "qwen2", "tie_word_embeddings": True},
    ),
    "qwen3": ("Qwen3", "Qwen3ForCausalLM", GATED | {"head_dim": 6}, {"architecture": "qwen3"}),
    # CTranslate2 cannot score texts longer than the window
    "mistral": (
        "Mistral",
        "MistralForCausalLM",
        GATED | {"sliding_window": 16},
        {"architecture": "mistral", "sliding_window": 16},
    ),
    "gemma": (
        "Gemma",
        "GemmaForCausalLM",
        GATED | {"head_dim": 4},
        {"architecture": "gemma", "hidden_act": "gelu_pytorch_tanh"},
    ),
}
ENCODER_DECODERS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "bart": (
        "Bart",
        "BartForConditionalGeneration",
        SEQ2SEQ | {"scale_embedding": True, "normalize_before": False},
        {"norm_placement": "post", "embedding_norm": True, "scale_embeddings": True},
    ),
    "mbart": (
        "MBart",
        "MBartForConditionalGeneration",
        SEQ2SEQ | {"normalize_before": True},
        {"norm_placement": "pre", "embedding_norm": True, "final_norm": True},
    ),
    "m2m": (
        "M2M100",
        "M2M100ForConditionalGeneration",
        SEQ2SEQ,
        {"norm_placement": "pre", "embedding_norm": False, "shared_embeddings": True},
    ),
    "pegasus": (
        "Pegasus",
        "PegasusForConditionalGeneration",
        SEQ2SEQ | {"normalize_before": True, "normalize_embedding": False},
        {"norm_placement": "pre", "scale_embeddings": False},
    ),
    "marian": (
        "MarianMT",
        "MarianMTModel",
        SEQ2SEQ | {"decoder_start_token_id": 0, "scale_embedding": True},
        # the converter drops a token, and our loader adds a start token
        {"norm_placement": "post", "suppress_tokens": [23], "target_vocab_size": 24},
    ),
}


def convert(
    folder: Path,
    family: tuple[str, str, dict[str, Any], dict[str, Any]],
    precision: str,
    *,
    interleave: bool = False,
) -> None:
    """Convert a random model of transformers; `interleave` only sets the flag of rotary pairs."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    converters = pytest.importorskip("ctranslate2.converters.transformers")
    name, model_class, options, _ = family
    config = getattr(transformers, f"{name.removesuffix('MT')}Config")(**options)
    model = getattr(transformers, model_class)(config).eval()
    torch.manual_seed(0)
    for parameter_name, parameter in model.named_parameters():
        if "embed_positions" not in parameter_name or parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.4)
    spec = getattr(converters, f"{name}Loader")().get_model_spec(model)
    if "source" in vars(spec).get("_vocabularies", ()):
        tokens = TOKENS[1:] if name == "MarianMT" else TOKENS
        spec.register_source_vocabulary(tokens)
        spec.register_target_vocabulary(tokens)
        spec.config.decoder_start_token = "</s>"
        spec.config.add_source_eos = True
    else:
        spec.register_vocabulary(TOKENS)
        for key in ("rms_norm_eps", "layer_norm_eps"):
            if hasattr(config, key):
                spec.config.layer_norm_epsilon = getattr(config, key)
    for layer in spec.decoder.layer if interleave else ():
        layer.self_attention.rotary_interleave = True
    spec.validate()
    spec.optimize(precision)
    folder.mkdir(exist_ok=True)
    spec.save(str(folder))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("family", LANGUAGE_MODELS)
def test_language_models(family: str, precision: str, tmp_path: Path) -> None:
    check_language_model(family, precision, tmp_path)


def check_language_model(
    family: str, precision: str, tmp_path: Path, *, interleave: bool = False
) -> None:
    convert(tmp_path, LANGUAGE_MODELS[family], precision, interleave=interleave)
    ctranslate2 = pytest.importorskip("ctranslate2")
    peer = ctranslate2.Generator(str(tmp_path), compute_type="float32", intra_threads=1)
    model = ae.load(tmp_path)
    assert isinstance(model, ae.LanguageModel)
    expected_config = LANGUAGE_MODELS[family][3]
    assert {key: model.config[key] for key in expected_config} == expected_config
    tokens = ["<s>", *TEXT]
    expected = peer.score_batch([tokens])[0].log_probs
    # both sides compute in float32 from the same dequantised weights
    assert model.score([tokens])[0].token_log_probs == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_interleaved_rotary_pairs(family: str, tmp_path: Path) -> None:
    check_language_model(family, "float32", tmp_path, interleave=True)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("family", ENCODER_DECODERS)
def test_encoder_decoders(family: str, precision: str, tmp_path: Path) -> None:
    convert(tmp_path, ENCODER_DECODERS[family], precision)
    ctranslate2 = pytest.importorskip("ctranslate2")
    peer = ctranslate2.Translator(str(tmp_path), compute_type="float32", intra_threads=1)
    model = ae.load(tmp_path)
    assert isinstance(model, ae.Seq2Seq)
    expected_config = ENCODER_DECODERS[family][3]
    assert {key: model.config[key] for key in expected_config} == expected_config
    expected = peer.score_batch([TEXT], [TARGET])[0].log_probs
    assert model.score([TEXT], [TARGET])[0].token_log_probs == pytest.approx(expected, abs=1e-5)
    translated = peer.translate_batch([TEXT], beam_size=1, max_decoding_length=8)[0]
    found = model.translate([TEXT], beam_size=1, max_new_tokens=8, min_new_tokens=1)[0]
    assert found.hypotheses[0].tokens == translated.hypotheses[0]


ENCODER = {k: v for k, v in GATED.items() if k != "num_key_value_heads"}
ENCODERS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "bert": ("Bert", "BertModel", ENCODER | {"position_embedding_type": "absolute"}, {}),
    "roberta": (
        "Roberta",
        "RobertaModel",
        ENCODER | {"position_embedding_type": "absolute", "max_position_embeddings": 40},
        {},
    ),
    "distilbert": (
        "DistilBert",
        "DistilBertModel",
        {"vocab_size": len(TOKENS), "dim": 16, "hidden_dim": 20, "n_layers": 2, "n_heads": 4}
        | SPECIAL,
        {},
    ),
}


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("family", ENCODERS)
def test_encoders(family: str, precision: str, tmp_path: Path) -> None:
    convert(tmp_path, ENCODERS[family], precision)
    ctranslate2 = pytest.importorskip("ctranslate2")
    peer = ctranslate2.Encoder(str(tmp_path), compute_type="float32", intra_threads=1)
    model = ae.load(tmp_path)
    assert isinstance(model, ae.Encoder)
    ids = [TOKENS.index(token) for token in TEXT]
    expected = np.array(peer.forward_batch([ids]).last_hidden_state)[0]
    np.testing.assert_allclose(model.hidden_states(ids), expected, atol=1e-5)


WHISPER = (
    "Whisper",
    "WhisperForConditionalGeneration",
    {"vocab_size": len(TOKENS), "max_source_positions": 20, "max_target_positions": 16, **WIDTHS}
    | SPECIAL
    | {"decoder_start_token_id": 3, "num_mel_bins": 80},
    {},
)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_whisper(precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = ["<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>"]
    special = ["<|endoftext|>", *prompts, "<|nospeech|>", "<|notimestamps|>"]
    tokens = [*(f"t{i}" for i in range(len(TOKENS) - len(special))), *special]
    monkeypatch.setattr(f"{__name__}.TOKENS", tokens)
    convert(tmp_path, WHISPER, precision)
    ctranslate2 = pytest.importorskip("ctranslate2")
    peer = ctranslate2.models.Whisper(str(tmp_path), compute_type="float32", intra_threads=1)
    model = ae.load(tmp_path)
    assert isinstance(model, ae.SpeechToText)
    features = np.random.default_rng(0).normal(size=(80, 40)).astype(np.float32)
    stored = ctranslate2.StorageView.from_array(features[None])
    states = np.array(peer.encode(stored))[0]
    np.testing.assert_allclose(model.hidden_states(features), states, atol=2e-5)
    prompt = [tokens.index(token) for token in (prompts[0], "<|en|>", prompts[3], special[-1])]
    expected = peer.generate(stored, [prompt], beam_size=1, max_length=16, return_scores=True)[0]
    found = model.transcribe(features, language="en", beam_size=1).windows[0].hypotheses[0]
    assert found.ids == expected.sequences_ids[0]
    # CTranslate2's score leaves out the end token of speech
    assert found.log_prob / len(found.ids) == pytest.approx(expected.scores[0], abs=1e-5)
