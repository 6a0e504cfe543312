"""Beam search without a model, over logits from any source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnengine import _core
from attnengine.decoding.checks import integer
from attnengine.decoding.compiled_options import compile_options
from attnengine.decoding.keywords import unknown
from attnengine.decoding.options import BeamOptions, declared
from attnengine.decoding.results import BeamTree, SearchHypothesis

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from attnengine.decoding.options import BeamKeywords

_NAMES = [one.name for one in declared(BeamOptions) if one.compiled or one.rule]
_BEAM_SIZE = 5


class BeamSearch:
    """Beam search of one sentence, over logits from any source.

        search = BeamSearch(start_token=1, end_tokens=[2], max_new_tokens=40, beam_size=5)
        while not search.done:             # at first: tokens == [1], parents == [0]
            logits = my_model(search.tokens, search.parents)   # float32 (live, vocab_size)
            search.advance(logits)
        search.hypotheses                  # best first

    `BeamOptions` explains the options. By default ``beam_size`` is 5, and ``num_hypotheses`` is
    ``beam_size`` or ``num_candidates``, whichever is smaller. With ``max_new_tokens=0`` the search
    is done at once. The first logits set the size of the vocabulary.

    Raises InvalidArgument for an unknown option and for a value out of range.
    """

    def __init__(
        self,
        *,
        start_token: int,
        end_tokens: Sequence[int] | NDArray[np.integer[Any]],
        max_new_tokens: int,
        **options: Unpack[BeamKeywords],
    ) -> None:
        start_token = integer(0).read("start_token", start_token)
        max_new_tokens = integer(0).read("max_new_tokens", max_new_tokens)
        given: dict[str, Any] = {"beam_size": _BEAM_SIZE, **options}
        for name in given:
            if name not in _NAMES:
                raise unknown(name, _NAMES)
        if given.get("num_hypotheses") is None:
            without = BeamOptions(**{**given, "num_hypotheses": 1})
            given["num_hypotheses"] = min(without.beam_size, without.candidates)
        compiled = compile_options(BeamOptions(**given), end_tokens)
        self._search = _core.Search()
        sentence = _core.NewSentence(
            number=0, options=compiled.search, past=[start_token], max_new_tokens=max_new_tokens
        )
        self._search.add([sentence])

    @property
    def tokens(self) -> NDArray[np.int32]:
        """The last token of each live hypothesis: (live,)."""
        return self._search.tokens

    @property
    def parents(self) -> NDArray[np.int32]:
        """The row of the previous step that each live hypothesis continues: (live,)."""
        return self._search.parents

    @property
    def done(self) -> bool:
        """Whether the search has stopped."""
        return self._search.done

    def advance(self, logits: NDArray[np.float32]) -> None:
        """Take one step, given logits (live, vocab_size) in float32.

        Rules edit the logits in place and restore them before return; a read-only array is copied
        first.

        Raises InvalidArgument for a wrong shape or type, for NaN or +inf, and when the search is
        done. It also raises when every token is forbidden before any hypothesis has ended. After
        an error the search is as it was before the call.
        """
        self._search.advance(logits)

    @property
    def hypotheses(self) -> list[SearchHypothesis]:
        """The best ``num_hypotheses`` ended hypotheses, best first."""
        return [
            SearchHypothesis(
                ids=h.tokens,
                score=h.score,
                log_prob=h.log_prob,
                token_log_probs=h.token_log_probs,
                finish_reason=h.finish_reason,
                rows=h.rows,
            )
            for h in self._search.hypotheses(0)
        ]

    @property
    def tree(self) -> BeamTree:
        """The tree of every hypothesis that the search has kept."""
        return BeamTree(*self._search.tree(0))
