"""The engine of encoder-decoders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from attnengine import _core, inputs
from attnengine.decoding import score
from attnengine.decoding.batches import Sentence, joined
from attnengine.decoding.generate import Task, decode
from attnengine.decoding.options import SearchOptions, for_stream, parse
from attnengine.decoding.results import Result, Score
from attnengine.decoding.texts import empty_result, to_result
from attnengine.engines.base import DecodingEngine, exact_ids, expect_positions
from attnengine.errors import FormatError, InvalidArgument
from attnengine.inputs import Inputs, ManyTexts, OneText
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.tokenizers import open_tokenizer

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from attnengine.decoding.options import Options

Floats = NDArray[np.float32]


class Seq2Seq(DecodingEngine):
    """An encoder-decoder: translates, and scores translations."""

    _model: _core.Seq2Seq

    def __init__(self, model: Any, checkpoint: Checkpoint, options: Mapping[str, Any]) -> None:
        super().__init__(model, checkpoint, options)
        self.source_tokenizer = open_tokenizer(checkpoint, "source")
        self.target_tokenizer = self._output = open_tokenizer(checkpoint, "target")
        self._start_token: int = self.config["decoder_start_token_id"]
        if self._start_token is None:
            raise FormatError(f"{self.path}: decoder_start_token_id is null, expected an id")

    @overload
    def translate(
        self, source: OneText, *, prefix: OneText | None = None, **options: Unpack[Options]
    ) -> Result: ...
    @overload
    def translate(
        self, source: ManyTexts, *, prefix: ManyTexts | None = None, **options: Unpack[Options]
    ) -> list[Result]: ...
    def translate(
        self,
        source: OneText | ManyTexts,
        *,
        prefix: OneText | ManyTexts | None = None,
        **options: Unpack[Options],
    ) -> Result | list[Result]:
        """Translates one text or many, by beam search of beam_size 5 unless told otherwise.

        ``prefix`` is what each translation must begin with. max_new_tokens None is
        2 * source + 10, min_new_tokens is 1. ``attnengine.decoding.options`` explains all options.

        Raises InvalidArgument for an unknown option, a value that does not fit, and a text that
        the model cannot take.
        """
        search = self._parse(options)
        sources, prefixes = self._read(source, prefix)
        tasks = {
            index: self._source_task(sources, prefixes, index, search)
            for index, ids in enumerate(sources.ids)
            if ids
        }
        found = decode(self._model, list(tasks.values()), search, self._end_tokens)
        by_index = dict(zip(tasks, found, strict=True))
        results = [
            to_result(by_index[index], prefixes.ids[index], self.target_tokenizer)
            if index in by_index
            else empty_result(self._start_token, search)
            for index in range(len(sources.ids))
        ]
        return results[0] if sources.single else results

    def stream(
        self, source: OneText, *, prefix: OneText | None = None, **options: Unpack[Options]
    ) -> Iterator[str]:
        """The text of ``translate`` in pieces, each as soon as all live hypotheses share it.

        The pieces joined are the text that ``translate`` returns. Closing the iterator ends the
        search.
        """
        search = for_stream(self._parse(options))
        sources, prefixes = self._read(source, prefix)
        if not sources.single:
            raise InvalidArgument("source is a list of texts, expected one text to stream")
        if not sources.ids[0]:
            return iter(())
        task = self._source_task(sources, prefixes, 0, search)
        return self._pieces(task, search, prefixes.ids[0])

    @overload
    def score(self, source: OneText, target: OneText, *, max_batch_size: int = 32) -> Score: ...
    @overload
    def score(
        self, source: ManyTexts, target: ManyTexts, *, max_batch_size: int = 32
    ) -> list[Score]: ...
    def score(
        self,
        source: OneText | ManyTexts,
        target: OneText | ManyTexts,
        *,
        max_batch_size: int = 32,
    ) -> Score | list[Score]:
        """How probable each target is, given its source, the end token included.

        Ids are taken as they are: target ids start with the decoder start token, and end with
        the end token if that is to be scored. A source without tokens has only the empty target.
        """
        options = SearchOptions(max_batch_size=max_batch_size)
        sources, targets = self._read(source, target, "target")
        pairs = []
        for index in range(len(sources.ids)):
            with sources.naming(index):
                pairs.append(self._pair(sources, targets, index))
        scores = self._scores(pairs, options)
        return scores[0] if sources.single else scores

    def logits(self, source_ids: OneText, target_ids: OneText) -> Floats:
        """The logits after each target token: (target, vocab_size), teacher-forced.

        Ids are taken as they are: ``target_ids`` start with the decoder start token.
        """
        source = exact_ids(source_ids, self.source_tokenizer, "source_ids")
        target = exact_ids(target_ids, self.target_tokenizer, "target_ids")
        self._expect_source_positions("source_ids", len(source))
        self._expect_positions("target_ids", len(target))
        return score.logits(self._model, Sentence(target, source))

    def hidden_states(self, source_ids: OneText) -> Floats:
        """The encoder's output for ids that are taken as they are: (tokens, encoder size)."""
        ids = exact_ids(source_ids, self.source_tokenizer, "source_ids")
        self._expect_source_positions("source_ids", len(ids))
        return self._model.encode(joined([ids]), np.array([len(ids)], np.int64)).hidden_states(0)

    def _parse(self, options: Mapping[str, Any]) -> SearchOptions:
        search = parse(options, beam_size=5, min_new_tokens=1)
        if search.return_attention and self.config.get("attention") == "none":
            raise InvalidArgument("return_attention is True, but the model has no attention")
        return self._never(search)

    def _read(self, source: object, target: object, what: str = "prefix") -> tuple[Inputs, Inputs]:
        """Sources and their targets or prefixes (None: none), as many of one as of the other."""
        sources = inputs.read(source, self.source_tokenizer, "source")
        if target is None:
            return sources, Inputs([[] for _ in sources.ids], sources.single, exact=False)
        targets = inputs.read(target, self.target_tokenizer, what)
        if (len(sources.ids), sources.single) != (len(targets.ids), targets.single):
            raise InvalidArgument(
                f"{what} is {targets.count}, expected {sources.count} as the source is"
            )
        return sources, targets

    def _expect_source_positions(self, what: str, count: int) -> None:
        expect_positions(what, count, self._model.max_source_positions)

    def _added(self, ids: list[int]) -> list[int]:
        """Source ids with the begin and end tokens that the model wants."""
        begin = [self.config["source_bos_token_id"]] if self.config["add_source_bos"] else []
        end = [self.config["source_eos_token_id"]] if self.config["add_source_eos"] else []
        return begin + ids + end

    def _source_task(
        self, sources: Inputs, prefixes: Inputs, index: int, search: SearchOptions
    ) -> Task:
        ids = sources.ids[index]
        tokens = [self._start_token, *prefixes.ids[index]]
        sentence = Sentence(tokens, self._added(ids))
        with sources.naming(index):
            self._expect_source_positions("the source", sentence.source_length)
            self._expect_positions("the prefix", len(tokens))
        return self._task(sentence, search, default=2 * len(ids) + 10)

    def _pair(self, sources: Inputs, targets: Inputs, index: int) -> Sentence | None:
        """What to score, or None where neither source nor target has tokens."""
        source, target = sources.ids[index], targets.ids[index]
        if targets.exact and not target:
            raise InvalidArgument("target has no ids, expected the decoder start token first")
        if not source:
            if len(target) > targets.exact:
                raise InvalidArgument("the source has no tokens, expected an empty target with it")
            return None
        if not targets.exact:
            target = [self._start_token, *target, *self._end_tokens[:1]]
        sentence = Sentence(target, source if sources.exact else self._added(source))
        self._expect_source_positions("the source", sentence.source_length)
        self._expect_positions("the target", len(target) - 1)
        return sentence
