"""Rows of tables for recurrent cells that store gates and candidate apart."""

from __future__ import annotations

from collections.abc import Sequence

from attnengine.loaders.shared.renaming import Table


def cell_rows(stored: Sequence[str], prefix: str, suffix: str, bias: str) -> Table:
    """Rows for W, Wx, U, Ux, b, bx, named in this order, of a cell below a canonical prefix.

    The blocks of reset and update gate precede the candidate's, as in PyTorch. bias: "hh" if the
    reset gate multiplies the candidate's bias, else "ih".
    """
    blocks = ("weight_ih", "weight_ih", "weight_hh", "weight_hh", f"bias_{bias}", f"bias_{bias}")
    return tuple(
        (name, (f"{prefix}.{block}_{suffix}#{i % 2}",))
        for i, (name, block) in enumerate(zip(stored, blocks, strict=True))
    )
