"""Error rates of the exported model on the test words, decoded by attnengine.

``python -m training.g2p.evaluate --data cmudict.dict --beam-size 5``
"""

from __future__ import annotations

import argparse
from pathlib import Path

import attnengine as ae
from training.g2p.data import read_dictionary, select
from training.g2p.metrics import ErrorRates, error_rates


def evaluate(model: ae.Seq2Seq, data: Path, beam_size: int) -> ErrorRates:
    """Error rates of the best hypotheses of all test words."""
    words = select(read_dictionary(data), "test")
    results = model.translate(list(words), beam_size=beam_size)
    outputs = [result.text.split() for result in results]
    return error_rates(zip(outputs, words.values(), strict=True))


def main() -> None:
    """Read the options and print one line for each beam size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="path of cmudict.dict")
    parser.add_argument("--model", type=Path, default=Path("attnengine/data/g2p"))
    parser.add_argument("--beam-size", type=int, nargs="+", default=[1, 5])
    options = parser.parse_args()
    model = ae.load(options.model, num_threads=1)  # fastest for a model of this size
    if not isinstance(model, ae.Seq2Seq):
        parser.error(f"{options.model} does not translate")
    for beam_size in options.beam_size:
        print(f"beam {beam_size}: {evaluate(model, options.data, beam_size)}")


if __name__ == "__main__":
    main()
