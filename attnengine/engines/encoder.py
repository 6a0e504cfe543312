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
_SHORTEST = np.float32(1e-12)  # eps of torch.nn.functional.normalize
POOLINGS = ("mean", "max", "last", "first", "attention")


class EncoderState:
    """The state that an RNN carries from one text to the next; `Encoder.new_state` creates it.

    Only one thread may use a state at a time.
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
        """Return one vector per text: (size,) for one text, (texts, size) for a list.

        ``pooling`` is one of ``POOLINGS``; ``normalize`` divides each vector by its Euclidean norm.
        None: the setting of the model's config. Texts get the config's begin and end tokens; ids
        are used exactly as given. ``truncate`` cuts the end of a text that exceeds the model's
        positions or ``max_sequence_length``.

        Raises InvalidArgument for an unknown pooling, for a text without tokens, and for a text
        that is too long if ``truncate`` is False.
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
        """Return the hidden state at each token: (tokens, hidden_size).

        Ids are used exactly as given. With a ``state`` from `new_state`, an RNN starts from that
        state and updates it, so that the next call continues the sequence.

        Raises InvalidArgument for invalid ids, and for a ``state`` if the model is not an RNN.
        """
        tokens = exact_ids(ids, self.tokenizer, "ids")
        if state is None:
            return self._model.hidden_states(*offline.ragged([tokens]))
        return self._recurrent().states_after(*offline.ragged([tokens]), state._compiled)

    def new_state(self) -> EncoderState:
        """Return a new state for `hidden_states` of an RNN: zeros.

        Raises InvalidArgument for a Transformer.
        """
        return EncoderState(self._recurrent().new_state())

    def _recurrent(self) -> _core.RnnEncoder:
        if not isinstance(self._model, _core.RnnEncoder):
            raise InvalidArgument(
                f"architecture is {self.config['architecture']!r}, expected an RNN: no other"
                " encoder carries a state"
            )
        return self._model

    def attentions(self, ids: OneText) -> Floats:
        """Return the attention weights of a Transformer: (layers, heads, tokens, tokens).

        Ids are used exactly as given. Raises Unsupported for an RNN.
        """
        return attentions.of_encoder(self._model, exact_ids(ids, self.tokenizer, "ids"))

    def _fitting(self, ids: list[int], exact: bool, truncate: bool) -> list[int]:
        """Add the config's begin and end tokens to a text, and truncate or check its length."""
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
                f"the text has {len(tokens)} tokens, special tokens included; expected at most"
                f" {limit}: truncate=True cuts the end"
            )
        return tokens

    def _added(self, end: str) -> list[int]:
        return [self.config[f"{end}_token_id"]] if self.config.get(f"add_{end}") else []
