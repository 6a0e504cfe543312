"""The engine of language models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from attnengine import chat
from attnengine.decoding import attentions, score
from attnengine.decoding.compiled_options import CompiledOptions
from attnengine.decoding.keywords import check_stream, parse
from attnengine.decoding.loop import Task
from attnengine.decoding.options import SearchOptions
from attnengine.decoding.results import Result, Score
from attnengine.decoding.sentences import Sentence
from attnengine.engines import inputs
from attnengine.engines.base import DecodingEngine, exact_ids
from attnengine.engines.inputs import Inputs, ManyTexts, OneText
from attnengine.engines.outputs import to_result
from attnengine.errors import InvalidArgument
from attnengine.loaders.checkpoint import Checkpoint
from attnengine.tokenizers import open_tokenizer

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from attnengine.decoding.options import Options

Floats = NDArray[np.float32]


class LanguageModel(DecodingEngine):
    """A language model: continues text, and scores it."""

    def __init__(self, model: Any, checkpoint: Checkpoint, options: Mapping[str, Any]) -> None:
        super().__init__(model, checkpoint, options)
        self.tokenizer = self._output = open_tokenizer(checkpoint)

    @overload
    def generate(self, prompt: OneText, **options: Unpack[Options]) -> Result: ...
    @overload
    def generate(self, prompt: ManyTexts, **options: Unpack[Options]) -> list[Result]: ...
    def generate(
        self, prompt: OneText | ManyTexts, **options: Unpack[Options]
    ) -> Result | list[Result]:
        """Continue one prompt or many; each result holds only the text after the prompt.

        By default the search is greedy (``beam_size`` 1), with at most 256 new tokens.
        ``attnengine.decoding.options`` explains all options.

        Raises InvalidArgument for an unknown option, a value that is not allowed, and a prompt
        that is empty, too long or has unknown tokens.
        """
        search = self._parse(options)
        prompts = inputs.read(prompt, self.tokenizer, "prompt")
        tasks = [self._prompt_task(prompts, index, search) for index in range(len(prompts.ids))]
        results = self._continue(tasks, search.options.max_batch_size)
        return results[0] if prompts.single else results

    def stream(self, prompt: OneText, **options: Unpack[Options]) -> Iterator[str]:
        """Yield the text of ``generate`` in pieces, each as soon as it can no longer change.

        The joined pieces are the text that ``generate`` returns. Closing the iterator stops the
        search. Raises InvalidArgument like ``generate``, for several prompts, and for options
        that a stream does not support.
        """
        search = self._parse(options)
        check_stream(search.options)
        prompts = inputs.read(prompt, self.tokenizer, "prompt")
        if not prompts.single:
            raise InvalidArgument("prompt is a list of texts, expected one text to stream")
        task = self._prompt_task(prompts, 0, search)
        return self._pieces(task, [], task.sentence.tokens)

    def chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        template: str | None = None,
        variables: Mapping[str, Any] | None = None,
        **options: Unpack[Options],
    ) -> Result:
        """Return the model's reply to a conversation, as the ``text`` of the result.

        ``messages`` are dicts with "role" ("user", "assistant", "system", ...) and "content".
        The model's chat template turns them into a prompt, which ``chat_prompt`` returns. All
        other arguments are those of ``generate``.

        Raises InvalidArgument like ``generate``, and for messages that the template refuses.
        Raises FormatError for an invalid or forbidden template. Raises Unsupported if the model
        has no template or the extra ``chat`` is not installed.
        """
        search = self._parse(options)
        task = self._chat_task(self.chat_prompt(messages, template, variables), search)
        return self._continue([task], search.options.max_batch_size)[0]

    def stream_chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        template: str | None = None,
        variables: Mapping[str, Any] | None = None,
        **options: Unpack[Options],
    ) -> Iterator[str]:
        """Yield the text of ``chat`` in pieces, each as soon as it can no longer change.

        Raises the errors of ``chat``, and InvalidArgument for options that a stream does not
        support.
        """
        search = self._parse(options)
        check_stream(search.options)
        task = self._chat_task(self.chat_prompt(messages, template, variables), search)
        return self._pieces(task, [], task.sentence.tokens)

    def chat_prompt(
        self,
        messages: Sequence[Mapping[str, Any]],
        template: str | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> str:
        """Return the prompt that ``chat`` continues, special tokens included.

        ``template`` names one of the model's templates; None: its only or default template.
        ``variables`` are further variables of the template, such as tools.
        ``add_generation_prompt`` is true by default.
        """
        return chat.prompt(self.config, self.tokenizer, messages, template, variables or {})

    @overload
    def score(self, text: OneText, *, max_batch_size: int = 32) -> Score: ...
    @overload
    def score(self, text: ManyTexts, *, max_batch_size: int = 32) -> list[Score]: ...
    def score(self, text: OneText | ManyTexts, *, max_batch_size: int = 32) -> Score | list[Score]:
        """Return the log-probability of each text, without an end token.

        Texts get the begin token of the model's config. The first token is scored only if it
        follows a begin token. Ids are scored exactly as given.

        Raises InvalidArgument for a text that is too long or has unknown tokens.
        """
        options = SearchOptions(max_batch_size=max_batch_size)
        texts = inputs.read(text, self.tokenizer, "text")
        sentences: list[Sentence | None] = []
        for index, ids in enumerate(texts.ids):
            tokens = ids if texts.exact else self._begin(ids)
            with texts.naming(index):
                self._expect_positions("the text", len(tokens) - 1)
            sentences.append(Sentence(tokens) if tokens else None)
        scores = self._scores(sentences, options)
        return scores[0] if texts.single else scores

    def logits(self, ids: OneText) -> Floats:
        """Return the logits after each token: (tokens, vocab_size).

        Ids are used exactly as given. Raises InvalidArgument for invalid or too many ids.
        """
        return score.logits(self._model, self._exact(ids))

    def attentions(self, ids: OneText) -> Floats:
        """Return the attention weights of a Transformer: (layers, heads, tokens, tokens).

        Ids are used exactly as given. Raises Unsupported for an RNN.
        """
        return attentions.of_decoder(self._model, self._exact(ids))[0]

    def _exact(self, ids: OneText) -> Sentence:
        tokens = exact_ids(ids, self.tokenizer, "ids")
        self._expect_positions("ids", len(tokens))
        return Sentence(tokens)

    def _parse(self, options: Mapping[str, Any]) -> CompiledOptions:
        search = parse(options, "generate")
        if search.return_attention:
            raise InvalidArgument(
                "return_attention is True, expected False: a language model has no source to"
                " attend to"
            )
        return self._compile(search)

    def _begin(self, ids: list[int]) -> list[int]:
        """Prepend the begin token, if the config asks for it or ``ids`` is empty."""
        begin = self.config["bos_token_id"]
        if begin is None or (ids and not self.config.get("add_bos", True)):
            return ids
        return [begin, *ids]

    def _continue(self, tasks: list[Task], max_batch_size: int) -> list[Result]:
        found = self._decode(tasks, max_batch_size)
        return [
            to_result(one, [], self.tokenizer, task.sentence.tokens)
            for one, task in zip(found, tasks, strict=True)
        ]

    def _chat_task(self, prompt: str, search: CompiledOptions) -> Task:
        """Make a task of a prompt without adding a begin token: the chat template writes it."""
        sentence = Sentence(self.tokenizer.encode(prompt))
        if not sentence.tokens:
            raise InvalidArgument(
                "the chat template turns the messages into an empty prompt, expected at least one"
                " token"
            )
        self._expect_positions("the conversation", len(sentence.tokens))
        return self._task(sentence, search, default=256)

    def _prompt_task(self, prompts: Inputs, index: int, search: CompiledOptions) -> Task:
        sentence = Sentence(self._begin(prompts.ids[index]))
        with prompts.naming(index):
            if not sentence.tokens:
                raise InvalidArgument(
                    "the prompt has no tokens, expected at least one: the model has no begin token"
                )
            self._expect_positions("the prompt", len(sentence.tokens))
        return self._task(sentence, search, default=256)
