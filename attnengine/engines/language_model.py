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

    from attnengine.decoding.keywords import Options

Floats = NDArray[np.float32]


class LanguageModel(DecodingEngine):
    """A model that continues and scores text."""

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
        """Continues one prompt or many; the results hold what comes after the prompt.

        Greedy (beam_size 1) unless told otherwise. max_new_tokens None is 256.
        ``attnengine.decoding.options`` explains all options.

        Raises InvalidArgument for an unknown option, a value that does not fit, and a prompt
        that the model cannot take.
        """
        search = self._parse(options)
        prompts = inputs.read(prompt, self.tokenizer, "prompt")
        tasks = [self._prompt_task(prompts, index, search) for index in range(len(prompts.ids))]
        results = self._continue(tasks, search.options.max_batch_size)
        return results[0] if prompts.single else results

    def stream(self, prompt: OneText, **options: Unpack[Options]) -> Iterator[str]:
        """The text of ``generate`` in pieces, each as soon as it is certain.

        The pieces joined are the text that ``generate`` returns. Closing the iterator ends it.
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
        """The model's reply to a conversation: its ``text`` is the reply.

        ``messages`` are dicts with "role" ("user", "assistant", "system", ...) and "content".
        They become a prompt by the model's chat template (``chat_prompt``); the rest is as in
        ``generate``.

        Raises InvalidArgument where ``generate`` does and for messages that the template
        refuses, FormatError for a template that does what it may not, Unsupported for a model
        that has none or without the extra ``chat``.
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
        """The text of ``chat`` in pieces, each as soon as it is certain."""
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
        """The text that ``chat`` continues, special tokens included.

        ``template`` is the name of one of the model's templates; None: its only or default one.
        ``variables`` are what templates may ask for besides messages, such as tools;
        add_generation_prompt is true unless they say otherwise.
        """
        return chat.prompt(self.config, self.tokenizer, messages, template, variables or {})

    @overload
    def score(self, text: OneText, *, max_batch_size: int = 32) -> Score: ...
    @overload
    def score(self, text: ManyTexts, *, max_batch_size: int = 32) -> list[Score]: ...
    def score(self, text: OneText | ManyTexts, *, max_batch_size: int = 32) -> Score | list[Score]:
        """How probable each text is, without an end token.

        The first token is scored only after a begin token. Ids are taken as they are.
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
        """The logits after each token: (tokens, vocab_size). Ids are taken as they are."""
        return score.logits(self._model, self._exact(ids))

    def attentions(self, ids: OneText) -> Floats:
        """The attention weights of a Transformer: (layers, heads, tokens, tokens).

        Ids are taken as they are.
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
                "return_attention is True, but the model has no source to attend to"
            )
        return self._compile(search)

    def _begin(self, ids: list[int]) -> list[int]:
        """Ids after the begin token, where the model wants one or there is nothing else."""
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
        """The prompt as it is: a template puts the begin token where it belongs."""
        sentence = Sentence(self.tokenizer.encode(prompt))
        if not sentence.tokens:
            raise InvalidArgument("the chat template makes an empty prompt of the messages")
        self._expect_positions("the conversation", len(sentence.tokens))
        return self._task(sentence, search, default=256)

    def _prompt_task(self, prompts: Inputs, index: int, search: CompiledOptions) -> Task:
        sentence = Sentence(self._begin(prompts.ids[index]))
        with prompts.naming(index):
            if not sentence.tokens:
                raise InvalidArgument("the prompt has no tokens, and the model no begin token")
            self._expect_positions("the prompt", len(sentence.tokens))
        return self._task(sentence, search, default=256)
