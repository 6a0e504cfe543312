"""The workloads: models, their cases, and the operations and bytes of each case."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.peers import shapes
from benchmarks.peers.case import Case, Group, Workload, parameters
from benchmarks.peers.models import Model
from benchmarks.peers.operators import operators

Ids = list[int]

_MARGIN = 4  # ids at both ends of a vocabulary, which may be special tokens


def random_ids(rng: np.random.Generator, count: int, model: Model) -> Ids:
    return [int(i) for i in rng.integers(_MARGIN, model.vocab_size - _MARGIN, count)]


def sources(model: Model) -> list[Ids]:
    """64 sentences of 10 to 40 tokens."""
    rng = np.random.default_rng(1234)
    return [random_ids(rng, int(length), model) for length in rng.integers(10, 41, 64)]


def translation(model: Model, batch: int, beam: int, new: int) -> Case:
    """Translate all 64 sentences in batches, or the first 8 one by one."""
    texts = sources(model)[: None if batch > 1 else 8]
    size = parameters(model)
    added = 1 if "model_type" in model.config else 0  # the end token of a source
    read = sum(len(text) + added for text in texts)
    written = len(texts) * beam * new
    operations = 2.0 * (read * size.source + written * (size.step + size.head))
    if model.config.get("attention") == "additive":  # add, tanh, multiply per position
        operations += 3.0 * beam * new * read * model.config["attention_size"]
    batches = -(-len(texts) // batch)
    return Case(
        f"batch{batch}-beam{beam}",
        "translate",
        {"sources": texts, "batch_size": batch, "beam_size": beam, "new_tokens": new},
        units=len(texts) * new,
        unit="tok/s",
        operations=operations,
        weights_read=batches * (size.source + new * (size.step + size.head)),
    )


def generation(name: str, model: Model, prompt: int, beam: int, new: int) -> Case:
    """Generate new tokens after a short prompt of one text."""
    size = parameters(model)
    each = size.step + size.head
    positions = new * (prompt + new / 2)  # positions to which the new tokens attend
    return Case(
        name,
        "generate",
        {
            "prompt": random_ids(np.random.default_rng(7), prompt, model),
            "new_tokens": new,
            "beam_size": beam,
        },
        units=new,
        unit="tok/s",
        operations=2.0 * new * beam * each,
        weights_read=new * each,
        numbers_kept=beam * positions * _cached(model),
    )


def _cached(model: Model) -> int:
    """Numbers that a Transformer caches per position: keys and values of every layer."""
    config = model.config
    if model.family == "gpt2":
        return int(2 * config["n_layer"] * config["n_embd"])
    if model.family == "qwen2":
        heads = config["num_key_value_heads"] / config["num_attention_heads"]
        return int(2 * config["num_hidden_layers"] * config["hidden_size"] * heads)
    return 0


def prefill(model: Model, length: int) -> Case:
    """Read a long prompt and find its first new token."""
    size, config = parameters(model), model.config
    layers = config.get("n_layer") or config["num_hidden_layers"]
    width = config.get("n_embd") or config["hidden_size"]
    attention = layers * length * length * width  # causal: half of scores and sums
    return Case(
        f"prefill{length}",
        "prefill",
        {"prompt": random_ids(np.random.default_rng(8), length, model)},
        units=length,
        unit="tok/s",
        operations=2.0 * (length * size.step + size.head + attention),
        weights_read=size.step + size.head,
    )


def scoring(model: Model, texts: int, length: int) -> Case:
    """Score every token after the first."""
    size, rng = parameters(model), np.random.default_rng(9)
    scored = texts * (length - 1)
    return Case(
        f"score{texts}x{length}",
        "score",
        {"sequences": [random_ids(rng, length, model) for _ in range(texts)]},
        units=scored,
        unit="tok/s",
        operations=2.0 * scored * (size.step + size.head),
        weights_read=size.step + size.head,
    )


def encoding(model: Model, batch: int, length: int) -> Case:
    """Encode texts of equal length."""
    size, rng = parameters(model), np.random.default_rng(11)
    layers, width = model.config["num_hidden_layers"], model.config["hidden_size"]
    attention = layers * 2 * length * length * width
    return Case(
        f"batch{batch}-len{length}",
        "encode",
        {"batch": [random_ids(rng, length, model) for _ in range(batch)]},
        units=batch,
        unit="sent/s",
        operations=2.0 * batch * (length * size.source + attention),
        weights_read=size.source,
    )


def _w1() -> Workload:
    marian = shapes.MARIAN
    cases = [translation(marian, *kind, new=30) for kind in ((32, 4), (1, 4), (32, 1), (1, 1))]
    return Workload("w1", "Marian base: 64 sentences, 30 tokens each", [Group(marian, cases)])


def _w2() -> Workload:
    cases = [translation(shapes.T5, batch, 1, 30) for batch in (32, 1)]
    return Workload("w2", "T5 small: greedy, 30 tokens each", [Group(shapes.T5, cases)])


def _w3() -> Workload:
    gpt2 = shapes.GPT2
    cases = [prefill(gpt2, 512), generation("decode128", gpt2, 8, 1, 128)]
    cases += [generation("beam5-64", gpt2, 8, 5, 64)]
    return Workload("w3", "GPT-2, 124M", [Group(gpt2, cases)])


def _w4() -> Workload:
    qwen2 = shapes.QWEN2
    cases = [prefill(qwen2, 512), generation("decode128", qwen2, 8, 1, 128)]
    return Workload("w4", "Qwen2.5 0.5B", [Group(qwen2, cases)])


def _w5() -> Workload:
    lstm = shapes.LSTM_LM
    cases = [generation("greedy200", lstm, 1, 1, 200), generation("beam8-100", lstm, 1, 8, 100)]
    cases += [scoring(lstm, 64, 100)]
    return Workload("w5", "LSTM language model, 2 x 1024", [Group(lstm, cases)])


def _w6() -> Workload:
    models = (shapes.RNNSEARCH, shapes.OPENNMT)
    groups = [
        Group(model, [translation(model, batch, 5, 25) for batch in (32, 1)]) for model in models
    ]
    return Workload("w6", "RNN encoder-decoders with attention: 25 tokens each", groups)


def _w7() -> Workload:
    return Workload("w7", "Operators", [Group(shapes.OPERATORS, operators())])


def _w8() -> Workload:
    minilm = shapes.MINILM
    cases = [encoding(minilm, batch, length) for batch in (1, 32) for length in (32, 128)]
    return Workload("w8", "MiniLM-L6, an encoder", [Group(minilm, cases)])


WORKLOADS: dict[str, Callable[[], Workload]] = {
    "w1": _w1,
    "w2": _w2,
    "w3": _w3,
    "w4": _w4,
    "w5": _w5,
    "w6": _w6,
    "w7": _w7,
    "w8": _w8,
}
