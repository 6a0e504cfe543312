"""The operators, measured one by one with sizes that occur in the models."""

from __future__ import annotations

from benchmarks.peers.case import Case

# (out, in) of layers in Transformers of width 512, 768 and 896, and of an output layer
LINEAR = ((512, 512), (2048, 512), (512, 2048), (3072, 768), (4864, 896), (32000, 512))
ROWS = (1, 2, 3, 4, 5, 8, 16, 64, 256)
# Seconds of a repeat; operations, bytes and seconds per call of a machine, to choose the calls.
_SECONDS, _OPERATIONS, _BYTES, _CALL = 0.02, 4e11, 4e10, 3e-6


def _case(
    name: str, kind: str, shape: dict[str, int], operations: float, weights: float, floats: float
) -> Case:
    """One call costs ``operations`` and reads ``weights`` parameters and ``floats`` numbers."""
    each = max(operations / _OPERATIONS, 4.0 * (weights + floats) / _BYTES) + _CALL
    calls = max(2, int(_SECONDS / each))
    return Case(
        name,
        "operator",
        {"kind": kind, "shape": shape, "calls": calls},
        units=calls,
        unit="us/call",
        operations=calls * operations,
        weights_read=calls * weights,
        float_bytes=4.0 * calls * floats,
    )


def linear(rows: int, out: int, size: int) -> Case:
    """A linear layer: x (rows, size) -> x W' + b (rows, out)."""
    shape = {"rows": rows, "out": out, "size": size}
    name = f"linear-{rows}-{out}x{size}"
    return _case(name, "linear", shape, 2.0 * rows * out * size, out * size, 0)


def attention(name: str, batch: int, heads: int, rows: int, positions: int, head_dim: int) -> Case:
    """Scaled dot-product attention; causal if every position of a text has a row."""
    causal = rows == positions and batch == 1
    shape = {"batch": batch, "heads": heads, "rows": rows, "positions": positions}
    shape |= {"head_dim": head_dim, "causal": int(causal)}
    operations = (2.0 if causal else 4.0) * batch * heads * rows * positions * head_dim
    floats = 2 * batch * heads * (rows + positions) * head_dim
    return _case(name, "attention", shape, operations, 0, floats)


def recurrent(kind: str, length: int, batch: int, size: int, hidden: int) -> Case:
    """An LSTM or GRU layer: x (length, batch, size), states (batch, hidden)."""
    gates = {"lstm": 4, "gru": 3}[kind]
    inputs, steps = gates * hidden * size, gates * hidden * hidden
    shape = {"length": length, "batch": batch, "size": size, "hidden": hidden}
    operations = 2.0 * length * batch * (inputs + steps)
    name = f"{kind}-{length}x{batch}-{hidden}"
    return _case(name, kind, shape, operations, inputs + length * steps, 0)


def top_k(rows: int, vocab_size: int, k: int) -> Case:
    """Log-softmax of logits (rows, vocab_size) and its k largest values."""
    shape = {"rows": rows, "vocab_size": vocab_size, "k": k}
    return _case(f"top{k}-{rows}x{vocab_size}", "top_k", shape, 0.0, 0, rows * vocab_size)


def layer_norm(rows: int, size: int) -> Case:
    shape = {"rows": rows, "size": size}
    return _case(f"layer-norm-{rows}x{size}", "layer_norm", shape, 0.0, 0, 2 * rows * size)


def operators() -> list[Case]:
    """The cases of all operators."""
    cases = [linear(rows, *shape) for shape in LINEAR for rows in ROWS]
    cases += [attention(f"prefill-{n}", 1, 12, n, n, 64) for n in (128, 512, 1024)]
    cases += [attention("encoder-32x128", 32, 12, 128, 128, 32)]
    for batch, positions in ((1, 512), (1, 1024), (32, 128)):
        cases += [attention(f"decode-{batch}x{positions}", batch, 12, 1, positions, 64)]
    cases += [top_k(1, 50257, 1), top_k(4, 58101, 8), top_k(128, 58101, 8), top_k(40, 33278, 16)]
    for length, batch in ((1, 1), (1, 8), (1, 64), (100, 1), (100, 8)):
        cases += [recurrent("lstm", length, batch, 1024, 1024)]
        cases += [recurrent("gru", length, batch, 512, 512)]
    return [*cases, layer_norm(128, 512)]
