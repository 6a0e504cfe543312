"""The engine of encoders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnengine import _core
from attnengine.decoding import attentions
from attnengine.decoding.keywords import unknown
from attnengine.decoding.options import SearchOptions
from attnengine.engines import inputs
from attnengine.engines.base import Engine, exact_ids
from attnengine.engines.inputs import ManyTexts, OneText
from attnengine.engines.similarity import normalized, similarity
from attnengine.errors import InvalidArgument
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.scheduling import offline
from attnengine.tokenizers import open_tokenizer

if TYPE_CHECKING:
    from typing_extensions import Unpack

Floats = NDArray[np.float32]
POOLINGS = ("mean", "max", "last", "first", "attention", "weighted_mean", "mean_sqrt")


class EncodeOptions(TypedDict, total=False):
    """The options of `Encoder.encode`, which explains each."""

    pooling: str | None
    normalize: bool | None
    truncate: bool
    prompt: str | None
    prompt_name: str | None
    truncate_dim: int | None
    max_batch_size: int


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

    def encode(self, text: OneText | ManyTexts, **options: Unpack[EncodeOptions]) -> Floats:
        """Return one vector per text: (size,) for one text, (texts, size) for a list.

        Options, each with the default None unless it says another one:

        - ``pooling``: one of ``POOLINGS``; None: the model's.
        - ``normalize``: whether each vector is divided by its Euclidean norm; None: the model's
          setting.
        - ``truncate`` (False): whether the end of a text that exceeds the model's positions or
          ``max_sequence_length`` is cut.
        - ``prompt``: a text before each text.
        - ``prompt_name``: the name of a prompt of the model. Without both, texts get the model's
          default prompt, if it has one.
        - ``truncate_dim``: the number of a vector's first elements to return. They are normalised
          anew only if ``normalize`` is True.
        - ``max_batch_size`` (32): the number of texts that are encoded together. Vectors do not
          depend on it.

        Texts get the prompt, and the config's begin and end tokens. Tokens get no prompt; ids are
        used exactly as given.

        Raises InvalidArgument for a wrong option, for a prompt of texts that are no str, for a text
        without tokens, and for a text that is too long if ``truncate`` is False.
        """
        for name in options.keys() - EncodeOptions.__annotations__.keys():
            raise unknown(name, EncodeOptions.__annotations__)
        batch_size = SearchOptions(max_batch_size=options.get("max_batch_size", 32)).max_batch_size
        how = self._pooling(options.get("pooling"))
        given = self._prompted(text, options.get("prompt"), options.get("prompt_name"))
        texts = inputs.read(given, self.tokenizer, "text")
        for index, ids in enumerate(texts.ids):
            with texts.naming(index):
                texts.ids[index] = self._fitting(ids, texts.exact, options.get("truncate", False))
        vectors = offline.encode(self._model, texts.ids, how, batch_size, self.num_workers)
        vectors = self._finished(vectors, options.get("normalize"), options.get("truncate_dim"))
        return vectors[0] if texts.single else vectors

    def similarity(self, first: ArrayLike, second: ArrayLike) -> Floats:
        """Return the similarity of each vector of ``first`` with each of ``second``.

        first (rows, size) or (size,), second (columns, size) or (size,); returns (rows, columns).
        The config's ``similarity`` is "cosine", "dot", "euclidean" or "manhattan"; the last two
        are negative distances. Without it, it is "cosine".

        Raises InvalidArgument for other shapes.
        """
        return similarity(first, second, self.config.get("similarity", "cosine"))

    def _pooling(self, given: str | None) -> str:
        how: str = self.config["pooling"] if given is None else given
        if how not in POOLINGS:
            raise InvalidArgument(f"pooling is {how!r}, expected one of {', '.join(POOLINGS)}")
        return how

    def _prompted(self, text: Any, prompt: str | None, name: str | None) -> Any:
        """Return texts behind their prompt, and in lower case where the model wants it."""
        asked = prompt is not None or name is not None
        if prompt is None:
            prompts = self.config.get("prompts", {})
            name = self.config.get("default_prompt_name") if name is None else name
            if name is not None and name not in prompts:
                raise InvalidArgument(
                    f"prompt_name is {name!r}, expected one of the model's: "
                    f"{', '.join(prompts) or 'it has none'}"
                )
            prompt = "" if name is None else prompts[name]
        elif name is not None:
            raise InvalidArgument(f"prompt_name is {name!r}, expected None beside a prompt")
        many = [text] if isinstance(text, str) else text
        if not isinstance(many, (list, tuple)) or not all(isinstance(one, str) for one in many):
            if asked:
                raise InvalidArgument("a prompt is given, expected texts: tokens and ids get none")
            return text
        full = [prompt + one for one in many]
        if self.config.get("lowercase", False):
            full = [one.lower() for one in full]
        return full[0] if isinstance(text, str) else full

    def _finished(self, vectors: Floats, normalize: bool | None, size: int | None) -> Floats:
        if self.config.get("normalize", False) if normalize is None else normalize:
            vectors = normalized(vectors)
        if size is None:
            return vectors
        if type(size) is not int or not 1 <= size <= vectors.shape[1]:
            raise InvalidArgument(
                f"truncate_dim is {size!r}, expected an integer from 1 to {vectors.shape[1]}"
            )
        first = np.ascontiguousarray(vectors[:, :size])
        return normalized(first) if normalize else first

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
