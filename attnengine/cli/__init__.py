"""The command line: for each line of text one line of results."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from attnengine import g2p
from attnengine.cli.bench import bench
from attnengine.cli.text_files import (
    OutputClosed,
    answers,
    one_line,
    pairs,
    reading,
    write_answers,
    write_text,
)
from attnengine.decoding.results import Hypothesis, Result, Score
from attnengine.engines import Encoder, LanguageModel, Seq2Seq, load
from attnengine.engines import convert as convert_model
from attnengine.errors import Error, InvalidArgument
from attnengine.profiling.sizes import describe

E = TypeVar("E", Encoder, LanguageModel, Seq2Seq)
T = TypeVar("T", bound=Sequence[str])

app = typer.Typer(
    help="CPU inference for autoregressive sequence models.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
_UsageError: Any = typer.BadParameter.__bases__[0]  # typer does not export it

Model = Annotated[
    Path | None,
    typer.Option(help="Folder or file of the model; translate has one of English words built in."),
]
Input = Annotated[Path | None, typer.Option(help="File to read instead of standard input.")]
Output = Annotated[Path | None, typer.Option(help="File to write instead of standard output.")]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object a line.")]
Threads = Annotated[int | None, typer.Option(help="Threads of a call; all cores if not given.")]
Workers = Annotated[
    int | None, typer.Option(help="Steps in flight, which share the threads; chosen if not given.")
]
Precision = Annotated[str, typer.Option(help="Of linear layers: float32, bfloat16, int8, int4.")]
CachePrecision = Annotated[
    str | None,
    typer.Option(help="Of keys and values kept: float32, float16, int8; chosen if not given."),
]
Language = Annotated[str | None, typer.Option(help="Of a model that translates several.")]
Number = Annotated[int | None, typer.Option()]
Real = Annotated[float | None, typer.Option()]

_SEARCH = (
    *("beam_size", "num_hypotheses", "num_candidates", "length_penalty", "stopping"),
    *("temperature", "top_k", "seed", "max_new_tokens", "min_new_tokens", "max_batch_size"),
    *("source_language", "target_language"),
)
_LOADING = ("precision", "cache_precision", "num_threads", "num_workers")
_NO_RESULT = Result([Hypothesis("", [], [], 0.0, 0.0, [], "stop")])


def main() -> None:
    """What the console script ``attnengine`` runs."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command. 0: done; 2: bad input, said on one line of stderr; 130: Ctrl-C."""
    try:
        return int(app(list(arguments), prog_name="attnengine", standalone_mode=False) or 0)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except OutputClosed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except _UsageError as error:
        return _complain(error.format_message())
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except Error as error:
        return _complain(str(error))


def _complain(message: str) -> int:
    print("attnengine:", " ".join(message.split()), file=sys.stderr)
    return 2


def _search(
    context: typer.Context,
    model: Model = None,
    input: Input = None,  # noqa: A002 - the name of the option
    output: Output = None,
    as_json: Json = False,
    beam_size: Number = None,
    num_hypotheses: Number = None,
    num_candidates: Number = None,
    length_penalty: Real = None,
    stopping: Annotated[str | None, typer.Option(help="candidates or optimal")] = None,
    temperature: Real = None,
    top_k: Number = None,
    seed: Number = None,
    max_new_tokens: Number = None,
    min_new_tokens: Number = None,
    max_batch_size: Number = None,
    source_language: Language = None,
    target_language: Language = None,
    precision: Precision = "float32",
    cache_precision: CachePrecision = None,
    num_threads: Threads = None,
    num_workers: Workers = None,
) -> None:
    command, given = str(context.info_name), context.params
    if model is None and command == "generate":
        raise InvalidArgument("generate needs a model, expected --model PATH")
    options = {name: given[name] for name in _SEARCH if given[name] is not None}
    search = _searcher(command, model, {name: given[name] for name in _LOADING})
    search([], **options)  # complains about them before anything is read or written
    with reading(input) as reader:
        found = answers(reader, reader, lambda lines: search(lines, **options))
        shown = _json(_NO_RESULT) if as_json else _plain(_texts)
        write_answers(map(shown, found), [reader], output)


def _searcher(command: str, model: Path | None, loading: dict[str, Any]) -> Callable[..., Any]:
    """The method of the model, or of the packaged one, that the command runs."""
    if model is None:
        loading = loading | {"num_threads": loading["num_threads"] or loading["num_workers"] or 1}
    engine = load(model or g2p.PATH, **loading)
    if command == "translate":
        return _expect(engine, Seq2Seq, command).translate
    return _expect(engine, LanguageModel, command).generate


app.command("translate", help="Translate every line with an encoder-decoder.")(_search)
app.command("generate", help="Continue every line with a language model.")(_search)
app.command()(bench)


@app.command()
def chat(
    model: Annotated[Path, typer.Option(help="Folder or file of the model.")],
    system: Annotated[str | None, typer.Option(help="What the model is told first.")] = None,
    temperature: Real = None,
    top_k: Number = None,
    seed: Number = None,
    max_new_tokens: Number = None,
    precision: Precision = "float32",
    cache_precision: CachePrecision = None,
    num_threads: Threads = None,
) -> None:
    """Converse with a language model: each line is a message, and its reply comes at once."""
    loading: Any = {"precision": precision, "cache_precision": cache_precision}
    engine = _expect(load(model, **loading, num_threads=num_threads), LanguageModel, "chat")
    given = {"temperature": temperature, "top_k": top_k, "seed": seed}
    given["max_new_tokens"] = max_new_tokens
    options: Any = {name: value for name, value in given.items() if value is not None}
    messages = [{"role": "system", "content": system}] if system is not None else []
    with reading(None) as reader:
        for line in reader:
            messages.append({"role": "user", "content": line})
            pieces = []
            for piece in engine.stream_chat(messages, **options):
                write_text(sys.stdout.buffer, piece)
                pieces.append(piece)
            write_text(sys.stdout.buffer, "\n")
            messages.append({"role": "assistant", "content": "".join(pieces)})


@app.command()
def score(
    context: typer.Context,
    model: Annotated[Path, typer.Option(help="Folder or file of the model.")],
    input: Input = None,  # noqa: A002 - the name of the option
    target: Annotated[Path | None, typer.Option(help="File with the target of each line.")] = None,
    output: Output = None,
    as_json: Json = False,
    max_batch_size: Number = None,
    precision: Precision = "float32",
    cache_precision: CachePrecision = None,
    num_threads: Threads = None,
    num_workers: Workers = None,
) -> None:
    """Print the log-probability of every line.

    An encoder-decoder scores the lines of --target given those of the input, or else the second
    of two texts that stand on each line with a tab between them.
    """
    engine = load(model, **{name: context.params[name] for name in _LOADING})
    options = {} if max_batch_size is None else {"max_batch_size": max_batch_size}
    shown = _json(Score([], [], [])) if as_json else _plain(lambda one: f"{one.log_prob:.6f}")
    paths = [input] if target is None else [input, target]
    with ExitStack() as stack:
        readers = [stack.enter_context(reading(path)) for path in paths]
        if isinstance(engine, LanguageModel):
            if target is not None:
                raise InvalidArgument(f"target is {target}, expected none with a language model")
            texts = answers(readers[0], readers[0], lambda lines: engine.score(lines, **options))
            write_answers(map(shown, texts), readers, output)
            return
        scorer = _expect(engine, Seq2Seq, "score")
        scores = answers(readers[0], pairs(*readers), lambda some: _scores(scorer, some, options))
        write_answers(map(shown, scores), readers, output)


@app.command()
def encode(
    model: Annotated[Path, typer.Option(help="Folder or file of the model.")],
    input: Input = None,  # noqa: A002 - the name of the option
    output: Output = None,
    pooling: Annotated[str | None, typer.Option(help="mean, max, first or last")] = None,
    truncate: Annotated[bool, typer.Option("--truncate", help="Cut what is too long.")] = False,
    max_batch_size: Number = None,
    precision: Precision = "float32",
    num_threads: Threads = None,
    num_workers: Workers = None,
) -> None:
    """Print the vector that an encoder makes of every line, as a JSON list."""
    found = load(model, precision=precision, num_threads=num_threads, num_workers=num_workers)
    engine = _expect(found, Encoder, "encode")
    options: dict[str, Any] = {"pooling": pooling, "truncate": truncate}
    options |= {} if max_batch_size is None else {"max_batch_size": max_batch_size}
    shown = _plain(lambda vector: json.dumps([float(str(number)) for number in vector]))
    with reading(input) as reader:
        vectors = answers(reader, reader, lambda lines: [*engine.encode(lines, **options)])
        write_answers(map(shown, vectors), [reader], output)


@app.command()
def info(
    path: Annotated[Path, typer.Argument(help="Folder or file of a model.")],
    as_json: Json = False,
) -> None:
    """Show what a model is: sizes, parameters, types, memory, tokenizer, languages, special ids."""
    facts = describe(path)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    for name, fact in facts.items():
        print(f"{name}: {fact if isinstance(fact, str) else json.dumps(fact)}")


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="Folder or file of a model.")],
    folder: Annotated[Path, typer.Argument(help="Where to write it; new or empty.")],
    packed: Annotated[bool, typer.Option("--packed", help="Also pack the weights.")] = False,
    precision: Precision = "float32",
) -> None:
    """Write a model as a native folder, which loads fastest."""
    convert_model(source, folder, packed=packed, precision=precision)


def _expect(engine: object, kind: type[E], command: str) -> E:
    if not isinstance(engine, kind):
        wanted = {Seq2Seq: "an encoder-decoder", Encoder: "an encoder"}.get(
            kind, "a language model"
        )
        raise InvalidArgument(f"the model is {engine!r}, expected {wanted} to {command} with")
    return engine


def _scores(
    engine: Seq2Seq, pairs: Sequence[tuple[str, str]], options: dict[str, Any]
) -> list[Score]:
    sources, targets = [source for source, _ in pairs], [target for _, target in pairs]
    found: list[Score] = engine.score(sources, targets, **options)
    return found


def _texts(result: Result) -> str:
    """The text of every hypothesis, with tabs between them."""
    return "\t".join(one_line(hypothesis.text) for hypothesis in result.hypotheses)


def _plain(show: Callable[[Any], str]) -> Callable[[list[Any]], list[str]]:
    """How to write a chunk of answers as text; None is an empty line."""
    return lambda found: ["" if one is None else show(one) for one in found]


def _json(empty: Result | Score) -> Callable[[list[Any]], list[str]]:
    """How to write a chunk of answers as JSON, with ``empty`` for None."""

    def show(one: Result | Score | None) -> str:
        return json.dumps((one or empty).to_dict(), ensure_ascii=False, allow_nan=False)

    return lambda found: [show(one) for one in found]
