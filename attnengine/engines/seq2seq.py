"""The engine of encoder-decoders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding import attentions, score
from attnengine.decoding.attentions import Attentions
from attnengine.decoding.compiled_options import CompiledOptions
from attnengine.decoding.keywords import check_stream, parse
from attnengine.decoding.loop import Task
from attnengine.decoding.options import Options, SearchOptions
from attnengine.decoding.results import Result, Score
from attnengine.decoding.sentences import Sentence, joined
from attnengine.engines import inputs
from attnengine.engines.base import DecodingEngine, exact_ids, expect_positions
from attnengine.engines.inputs import Inputs, ManyTexts, OneText
from attnengine.engines.languages import LANGUAGES, Direction, direction
from attnengine.engines.outputs import empty_result, to_result
from attnengine.errors import FormatError, InvalidArgument
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.tokenizers import open_tokenizer

if TYPE_CHECKING:
    from typing_extensions import Unpack

Floats = NDArray[np.float32]


class TranslationOptions(Options, total=False):
    """The keywords of ``translate`` and ``stream``: options of the search, and languages."""

    source_language: str | None
    target_language: str | None


class Seq2Seq(DecodingEngine):
    """An encoder-decoder: translates, and scores translations."""

    _model: _core.Seq2Seq

    def __init__(self, model: Any, checkpoint: Checkpoint, options: Mapping[str, Any]) -> None:
        super().__init__(model, checkpoint, options)
        self.source_tokenizer = open_tokenizer(checkpoint, "source")
        self.target_tokenizer = self._output = open_tokenizer(checkpoint, "target")
        # With "behind" the target language's token replaces the decoder start token.
        starts = self.config.get("language_place") == "behind"
        if self.config["decoder_start_token_id"] is None and not starts:
            raise FormatError(f"{self.path}: decoder_start_token_id is null, expected an id")

    @overload
    def translate(
        self,
        source: OneText,
        *,
        prefix: OneText | None = None,
        **options: Unpack[TranslationOptions],
    ) -> Result: ...
    @overload
    def translate(
        self,
        source: ManyTexts,
        *,
        prefix: ManyTexts | None = None,
        **options: Unpack[TranslationOptions],
    ) -> list[Result]: ...
    def translate(
        self,
        source: OneText | ManyTexts,
        *,
        prefix: OneText | ManyTexts | None = None,
        **options: Unpack[TranslationOptions],
    ) -> Result | list[Result]:
        """Translate one text or many; by default with beam search of ``beam_size`` 5.

        Each translation begins with its ``prefix``. ``source_language`` and ``target_language``
        are names in ``config["languages"]``; None: the model's default. By default
        ``max_new_tokens`` is 2 * source + 10 and ``min_new_tokens`` is 1. A source of spaces and
        invisible characters alone has an empty translation.
        ``attnengine.decoding.options`` explains all options.

        Raises InvalidArgument for an unknown option or language, a value that is not allowed, and
        a text that is too long or has unknown tokens.
        """
        search, added = self._parse(options)
        sources, prefixes = self._read(source, prefix)
        tasks = {
            index: self._source_task(sources, prefixes, index, search, added)
            for index, ids in enumerate(sources.ids)
            if ids
        }
        found = self._decode(list(tasks.values()), search.options.max_batch_size)
        by_index = dict(zip(tasks, found, strict=True))
        results = [
            to_result(by_index[index], added.start[1:] + prefixes.ids[index], self._output)
            if index in by_index
            else empty_result(added.start[0], search.options)
            for index in range(len(sources.ids))
        ]
        return results[0] if sources.single else results

    def stream(
        self,
        source: OneText,
        *,
        prefix: OneText | None = None,
        **options: Unpack[TranslationOptions],
    ) -> Iterator[str]:
        """Yield the text of ``translate`` in pieces, each once all possible results share it.

        The joined pieces are the text that ``translate`` returns. Closing the iterator stops the
        search. Raises InvalidArgument like ``translate``, for several texts, and for options that
        a stream does not support.
        """
        search, added = self._parse(options)
        check_stream(search.options)
        sources, prefixes = self._read(source, prefix)
        if not sources.single:
            raise InvalidArgument("source is a list of texts, expected one text to stream")
        if not sources.ids[0]:
            return iter(())
        task = self._source_task(sources, prefixes, 0, search, added)
        return self._pieces(task, added.start[1:] + prefixes.ids[0])

    @overload
    def score(
        self,
        source: OneText,
        target: OneText,
        *,
        source_language: str | None = None,
        target_language: str | None = None,
        max_batch_size: int = 32,
    ) -> Score: ...
    @overload
    def score(
        self,
        source: ManyTexts,
        target: ManyTexts,
        *,
        source_language: str | None = None,
        target_language: str | None = None,
        max_batch_size: int = 32,
    ) -> list[Score]: ...
    def score(
        self,
        source: OneText | ManyTexts,
        target: OneText | ManyTexts,
        *,
        source_language: str | None = None,
        target_language: str | None = None,
        max_batch_size: int = 32,
    ) -> Score | list[Score]:
        """Return the log-probability of each target given its source, end token included.

        Ids are used exactly as given. Target ids must start with the decoder start token; the end
        token is scored only if they end with it. A source without tokens allows only an empty
        target. Languages are as in ``translate``; their tokens are not scored.

        Raises InvalidArgument for different numbers of sources and targets, and for a text that
        is too long or has unknown tokens.
        """
        options = SearchOptions(max_batch_size=max_batch_size)
        sources, targets = self._read(source, target, "target")
        added = None
        named = source_language is not None or target_language is not None
        if named or not (sources.exact and targets.exact):
            added = direction(self.config, source_language, target_language)
        pairs = []
        for index in range(len(sources.ids)):
            with sources.naming(index):
                pairs.append(self._pair(sources, targets, index, added))
        scores = self._scores(pairs, options)
        return scores[0] if sources.single else scores

    def logits(self, source_ids: OneText, target_ids: OneText) -> Floats:
        """Return the logits after each target token, teacher-forced: (target, vocab_size).

        Ids are used exactly as given; ``target_ids`` must start with the decoder start token.
        Raises InvalidArgument for invalid or too many ids.
        """
        return score.logits(self._model, self._exact(source_ids, target_ids))

    def attentions(self, source_ids: OneText, target_ids: OneText) -> Attentions:
        """Return the attention weights of every head in every layer of a Transformer.

        Ids are used exactly as given; ``target_ids`` must start with the decoder start token.
        Raises InvalidArgument for invalid or too many ids, and Unsupported for an RNN.
        """
        return attentions.of_both(self._model, self._exact(source_ids, target_ids))

    def hidden_states(self, source_ids: OneText) -> Floats:
        """Return the encoder's output: (tokens, encoder size).

        Ids are used exactly as given. Raises InvalidArgument for invalid or too many ids.
        """
        ids = exact_ids(source_ids, self.source_tokenizer, "source_ids")
        self._expect_source_positions("source_ids", len(ids))
        return self._model.encode(joined([ids]), np.array([len(ids)], np.int64)).hidden_states(0)

    def _exact(self, source_ids: OneText, target_ids: OneText) -> Sentence:
        """Make a sentence of source and target ids; add no special tokens."""
        source = exact_ids(source_ids, self.source_tokenizer, "source_ids")
        target = exact_ids(target_ids, self.target_tokenizer, "target_ids")
        self._expect_source_positions("source_ids", len(source))
        self._expect_positions("target_ids", len(target))
        return Sentence(target, source)

    def _parse(self, options: Mapping[str, Any]) -> tuple[CompiledOptions, Direction]:
        languages = {name: options[name] for name in LANGUAGES if name in options}
        others = {name: value for name, value in options.items() if name not in LANGUAGES}
        search = parse(others, "translate", LANGUAGES)
        if search.return_attention and self.config.get("attention") == "none":
            raise InvalidArgument(
                "return_attention is True, expected False: the model has no attention"
            )
        return self._compile(search), direction(self.config, **languages)

    def _read(self, source: object, target: object, what: str = "prefix") -> tuple[Inputs, Inputs]:
        """Read sources and an equal number of targets or prefixes; None: empty prefixes."""
        sources = inputs.read(inputs.blank_as_empty(source), self.source_tokenizer, "source")
        if target is None:
            return sources, Inputs([[] for _ in sources.ids], sources.single, exact=False)
        targets = inputs.read(target, self.target_tokenizer, what)
        if (len(sources.ids), sources.single) != (len(targets.ids), targets.single):
            raise InvalidArgument(
                f"{what} is {targets.count}, expected {sources.count} like the source"
            )
        return sources, targets

    def _expect_source_positions(self, what: str, count: int) -> None:
        expect_positions(what, count, self._model.max_source_positions)

    def _source_task(
        self,
        sources: Inputs,
        prefixes: Inputs,
        index: int,
        search: CompiledOptions,
        added: Direction,
    ) -> Task:
        ids = sources.ids[index]
        tokens = added.start + prefixes.ids[index]
        sentence = Sentence(tokens, added.source(ids))
        with sources.naming(index):
            self._expect_source_positions("the source", sentence.source_length)
            self._expect_positions("the prefix", len(tokens))
        return self._task(sentence, search, default=2 * len(ids) + 10)

    def _pair(
        self, sources: Inputs, targets: Inputs, index: int, added: Direction | None
    ) -> Sentence | None:
        """Make the sentence to score; None if neither source nor target has tokens."""
        source, target, given = sources.ids[index], targets.ids[index], 1
        if targets.exact and not target:
            raise InvalidArgument(
                "the target has no ids, expected the decoder start token as its first id"
            )
        if not source:
            if len(target) > targets.exact:
                raise InvalidArgument("the source has no tokens, expected an empty target with it")
            return None
        if added and not targets.exact:
            given = len(added.start)
            target = [*added.start, *target, *self._end_tokens[:1]]
        if added and not sources.exact:
            source = added.source(source)
        self._expect_source_positions("the source", len(source))
        self._expect_positions("the target", len(target) - 1)
        return Sentence(target, source, given)
