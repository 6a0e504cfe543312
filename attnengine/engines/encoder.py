"""The engine of encoders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding import attentions
from attnengine.decoding.options import SearchOptions
from attnengine.engines import inputs
from attnengine.engines.base import Engine, exact_ids
from attnengine.engines.inputs import ManyTexts, OneText
from attnengine.errors import InvalidArgument
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.scheduling import offline
from attnengine.tokenizers import open_tokenizer

Floats = NDArray[np.float32]
_SHORTEST = np.float32(1e-12)  # as torch.nn.functional.normalize has it
POOLINGS = ("mean", "max", "last", "first", "attention")


class EncoderState:
    """What an RNN carries from one text to the next, made by `Encoder.new_state`.

    It may be used by one thread at a time.
    """

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled


class Encoder(Engine):
    """A model that turns text into vectors."""

    _model: _core.Encoder

    def __init__(self, model: Any, checkpoint: Checkpoint, options: Mapping[str, Any]) -> None:
        super().__init__(model, checkpoint, options)
        self.tokenizer = open_tokenizer(checkpoint)

    def encode(
        self,
        text: OneText | ManyTexts,
        *,
        pooling: str | None = None,
        truncate: bool = False,
        normalize: bool | None = None,
        max_batch_size: int = 32,
    ) -> Floats:
        """One vector for each text: (size,) for one text, (texts, size) for a list.

        ``pooling`` is one of ``POOLINGS``, and ``normalize`` divides vectors by their length;
        None: as the model's own config says. What that wants is put around a text, and nothing
        around ids. A text that is longer than the model's positions or its
        ``max_sequence_length`` is an error unless ``truncate``, which leaves out its end.

        Raises InvalidArgument for another pooling, a text without tokens and one too long.
        """
        options = SearchOptions(max_batch_size=max_batch_size)
        how = self.config["pooling"] if pooling is None else pooling
        if how not in POOLINGS:
            raise InvalidArgument(f"pooling is {how!r}, expected one of {', '.join(POOLINGS)}")
        texts = inputs.read(text, self.tokenizer, "text")
        for index, ids in enumerate(texts.ids):
            with texts.naming(index):
                texts.ids[index] = self._fitting(ids, texts.exact, truncate)
        batch_size = options.max_batch_size
        vectors = offline.encode(self._model, texts.ids, how, batch_size, self.num_workers)
        if self.config.get("normalize", False) if normalize is None else normalize:
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _SHORTEST)
        return vectors[0] if texts.single else vectors

    def hidden_states(self, ids: OneText, *, state: EncoderState | None = None) -> Floats:
        """The state at each token: (tokens, hidden_size). Ids are taken as they are.

        With a ``state`` of `new_state`, an RNN goes on from where the ids before left it, and
        ``state`` goes on with it.
        """
        tokens = exact_ids(ids, self.tokenizer, "ids")
        if state is None:
            return self._model.hidden_states(*offline.ragged([tokens]))
        return self._recurrent().states_after(*offline.ragged([tokens]), state._compiled)

    def new_state(self) -> EncoderState:
        """The state before the first text: zeros.

        Raises InvalidArgument for a Transformer.
        """
        return EncoderState(self._recurrent().new_state())

    def _recurrent(self) -> _core.RnnEncoder:
        if not isinstance(self._model, _core.RnnEncoder):
            raise InvalidArgument(f"{self.config['architecture']!r} is no RNN, it carries no state")
        return self._model

    def attentions(self, ids: OneText) -> Floats:
        """The attention weights of a Transformer: (layers, heads, tokens, tokens).

        Ids are taken as they are.
        """
        return attentions.of_encoder(self._model, exact_ids(ids, self.tokenizer, "ids"))

    def _fitting(self, ids: list[int], exact: bool, truncate: bool) -> list[int]:
        """One text with the tokens that the model wants around it, no longer than it may be."""
        begin, end = ([], []) if exact else (self._added("bos"), self._added("eos"))
        limits = (self._model.max_positions, self.config.get("max_sequence_length"))
        limit = min((size for size in limits if size), default=0)
        if truncate and limit:
            ids = ids[: max(limit - len(begin) - len(end), 0)]
        tokens = begin + ids + end
        if not tokens:
            raise InvalidArgument("the text has no tokens, expected at least one")
        if 0 < limit < len(tokens):
            raise InvalidArgument(
                f"the text has {len(tokens)} tokens, those that the model adds included; expected"
                f" at most {limit}: truncate=True leaves out the rest"
            )
        return tokens

    def _added(self, end: str) -> list[int]:
        return [self.config[f"{end}_token_id"]] if self.config.get(f"add_{end}") else []
