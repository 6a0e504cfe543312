"""The base class of all engines, and the base class of engines that generate text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from attnengine import _core
from attnengine.decoding import loop
from attnengine.decoding.compiled_options import CompiledOptions, compile_options
from attnengine.decoding.loop import Found, Task
from attnengine.decoding.options import SearchOptions
from attnengine.decoding.results import Score
from attnengine.decoding.sentences import Sentence
from attnengine.engines.inputs import read
from attnengine.errors import InvalidArgument
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.scheduling import offline
from attnengine.scheduling.threads import check_workers, choose_threads
from attnengine.tokenizers import Tokenizer


class Engine:
    """A model that is ready to run.

    An engine has the attributes ``path``, ``config``, ``precision``, ``cache_precision``,
    ``num_threads`` and ``num_workers``.

    Pickle stores the path and the options of ``load``, not the weights; unpickling loads the model
    again. On a machine with fewer threads the number of workers is reduced to fit.
    """

    _model: _core.Decoder | _core.Encoder
    _load_again: ClassVar[Callable[..., Engine]]  # set by loading, which imports this module

    def __init__(self, model: Any, checkpoint: Checkpoint, options: Mapping[str, Any]) -> None:
        self._model, self._options = model, dict(options)
        self.path: Path = Path(checkpoint.path)
        self._absolute = self.path.resolve()  # pickle needs it after a change of directory
        self.config: dict[str, Any] = dict(checkpoint.config)

    @property
    def precision(self) -> str:
        """The precision of the linear layers, as given to ``load``."""
        return str(self._options["precision"])

    @property
    def cache_precision(self) -> str | None:
        """The precision of cached keys and values; None for a model without such a cache."""
        return self._model.cache_precision if isinstance(self._model, _core.Decoder) else None

    @property
    def num_threads(self) -> int:
        """The number of threads of a call; no result depends on it.

        It may be changed between calls. Setting it raises InvalidArgument unless it is None or an
        integer from 1 to 1024, and for fewer threads than workers.
        """
        return int(self._model.num_threads)

    @num_threads.setter
    def num_threads(self, num_threads: int | None) -> None:
        threads = choose_threads(num_threads)
        check_workers(self._options.get("num_workers"), threads)
        self._model.num_threads = threads
        self._options["num_threads"] = num_threads

    @property
    def num_workers(self) -> int | None:
        """The number of workers of a call with many texts; no result depends on it.

        Workers run steps in parallel and divide ``num_threads`` equally. None: each call chooses.
        It may be changed between calls. Setting it raises InvalidArgument unless it is None or an
        integer from 1 to ``num_threads``.
        """
        workers: int | None = self._options.get("num_workers")
        return workers

    @num_workers.setter
    def num_workers(self, num_workers: int | None) -> None:
        check_workers(num_workers, self.num_threads)
        self._options["num_workers"] = num_workers

    def __reduce__(self) -> tuple[Any, ...]:
        return Engine._load_again, (self._absolute, self._options)

    def __repr__(self) -> str:
        sizes = ("_size", "num_layers", "num_heads")
        shown = {k: v for k, v in self.config.items() if k.endswith(sizes)}
        for name in ("precision", "cache_precision", "num_threads", "num_workers"):
            shown[name] = getattr(self, name)
        listed = ", ".join(f"{k}={v}" for k, v in shown.items() if v is not None)
        return f"{type(self).__name__}({self.config['architecture']}, {listed})"


class DecodingEngine(Engine):
    """The base class of engines that generate and score text."""

    _model: _core.Decoder
    _output: Tokenizer  # the tokenizer of the tokens that the model predicts

    @property
    def _end_tokens(self) -> list[int]:
        ends = self.config["eos_token_id"]
        if ends is None:
            return []
        return [ends] if isinstance(ends, int) else list(ends)

    def _expect_positions(self, what: str, count: int) -> None:
        """Raise InvalidArgument if ``count`` tokens exceed the decoder's positions."""
        expect_positions(what, count, self._model.max_positions)

    def _task(self, sentence: Sentence, search: CompiledOptions, default: int) -> Task:
        """Make a task; without the option max_new_tokens, the maximum is ``default``."""
        options = search.options
        limit = options.max_new_tokens or max(default, options.min_new_tokens)
        if self._model.max_positions:  # the last new token is not fed: it needs no position
            limit = min(limit, self._model.max_positions - len(sentence.tokens) + 1)
        return Task(sentence, limit, search)

    def _decode(self, tasks: Sequence[Task], max_batch_size: int) -> list[Found]:
        return offline.decode(self._model, tasks, max_batch_size, self.num_workers)

    def _pieces(self, task: Task, prefix: list[int], after: Sequence[int] = ()) -> Iterator[str]:
        """Yield the text of prefix and new tokens in pieces, each once it can no longer change."""
        sent = 0
        ids = prefix
        for tokens in loop.stream(self._model, task):
            ids = prefix + tokens
            text = self._output.decode(ids, after, final=False)
            if len(text) > sent:
                yield text[sent:]
                sent = len(text)
        rest = self._output.decode(ids, after)[sent:]
        if rest:
            yield rest

    def _compile(self, options: SearchOptions) -> CompiledOptions:
        """Compile the options, extended by the suppressed tokens of the model's config."""
        config = self.config
        suppress = (*(config.get("suppress_tokens") or ()), *options.suppress)
        first = (*(config.get("begin_suppress_tokens") or ()), *options.suppress_first)
        for name, ids in (("suppress", suppress), ("suppress_first", first)):
            if ids and max(ids) >= self._model.vocab_size:
                raise InvalidArgument(
                    f"{name} has {max(ids)}, expected ids of the vocabulary: 0 to "
                    f"{self._model.vocab_size - 1}"
                )
        options = dataclasses.replace(options, suppress=suppress, suppress_first=first)
        return compile_options(options, self._end_tokens)

    def _scores(self, sentences: list[Sentence | None], options: SearchOptions) -> list[Score]:
        """Score all tokens after the first of each sentence; None stands for an empty text."""
        present = [sentence for sentence in sentences if sentence is not None]
        log_probs = offline.token_log_probs(
            self._model, present, options.max_batch_size, self.num_workers
        )
        scored = iter(log_probs)
        return [
            Score([], [], []) if sentence is None else self._score(sentence, next(scored))
            for sentence in sentences
        ]

    def _score(self, sentence: Sentence, token_log_probs: list[float]) -> Score:
        ids = sentence.tokens[sentence.given :]
        return Score(self._output.tokens(ids), ids, token_log_probs[sentence.given - 1 :])


def expect_positions(what: str, count: int, limit: int) -> None:
    """Raise InvalidArgument if ``count`` tokens exceed ``limit`` positions; 0 is no limit."""
    if 0 < limit < count:
        raise InvalidArgument(
            f"{what} has {count} tokens, special tokens included; expected at most {limit},"
            " the model's number of positions"
        )


def exact_ids(value: object, tokenizer: Tokenizer, what: str) -> list[int]:
    """Read ``value`` as one sequence of at least one id; add no special tokens.

    Raises InvalidArgument, which names the argument ``what``, for anything else.
    """
    given = read(value, tokenizer, what)
    if not (given.single and given.exact and given.ids[0]):
        raise InvalidArgument(f"{what} is {value!r}, expected one list of ids with at least one")
    return given.ids[0]
