"""What a runtime is asked for and what it answers: values, errors and one Protocol.

A runtime owns the model.  Two implement the Protocol: `openvino` (fast, knows the common
architectures) and `llamacpp` (slower on most processors, opens any GGUF).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from asyncgen.errors import AsyncgenError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Constraint",
    "FinishReason",
    "Generation",
    "GenerationParameters",
    "Runtime",
    "RuntimeFailedError",
    "ScoredToken",
    "UnservableError",
]

FinishReason = Literal["stop", "length"]


class UnservableError(AsyncgenError):
    """Raised when a request asks for something this model or runtime cannot do."""


class RuntimeFailedError(AsyncgenError):
    """Raised for every waiting and later request once the runtime has broken down."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A form the generated text must have.

    Attributes:
        kind: How `value` is to be read; `json` is a JSON schema, `grammar` is EBNF.
        value: The regular expression, schema or grammar.
    """

    kind: Literal["regex", "json", "grammar"]
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationParameters:
    """How to continue a prompt.

    Attributes:
        max_tokens: Most tokens to generate.
        temperature: 0 always takes the likeliest token.
        top_p: Keep the likeliest tokens that together reach this probability.
        top_k: Keep this many likeliest tokens; 0 keeps all.
        min_p: Drop tokens less likely than this share of the likeliest one's probability.
        seed: Seed of the random choice.
        stop: Texts that end the generation; not part of the answer.
        presence_penalty: Subtracted from the logit of each token already generated.
        frequency_penalty: The same, once for each occurrence.
        repetition_penalty: Divides the logits of tokens already seen; 1 changes nothing.
        logprobs: Answer the generated tokens with their log-probabilities.
        echo: Score the prompt's tokens too.
        constraint: The form the text must have, if any.
    """

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    logprobs: bool = False
    echo: bool = False
    constraint: Constraint | None = None


@dataclass(frozen=True, slots=True)
class ScoredToken:
    """A token's text and its natural log-probability (None: nothing came before it)."""

    text: str
    logprob: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A finished continuation.

    Attributes:
        text: What was generated, without the stop text.
        finish_reason: `stop` for the end of the text or a stop text, `length` for max_tokens.
        prompt_tokens: Tokens of the prompt.
        completion_tokens: Tokens generated.
        cached_tokens: Prompt tokens that were not computed again; None if not known.
        tokens: The generated tokens (with `echo` the prompt's before them) if asked for.
    """

    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int | None = None
    tokens: tuple[ScoredToken, ...] = ()


class Runtime(Protocol):
    """A loaded model that continues prompts, many at a time.

    Every method may raise RuntimeFailedError; cancelling an awaited call stops the work.
    """

    @property
    def context_length(self) -> int:
        """Most tokens of a prompt and its continuation together."""
        ...

    async def chat_prompt(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Return the messages written out by the model's chat template."""
        ...

    async def tokenize(self, text: str, *, special: bool) -> tuple[int, ...]:
        """Return the text's token ids, with the tokenizer's own first and last if `special`."""
        ...

    async def generate(
        self, prompt: tuple[int, ...], parameters: GenerationParameters
    ) -> Generation:
        """Continue a prompt.

        Raises:
            UnservableError: The parameters cannot be honoured.
        """
        ...

    async def score(self, prompt: tuple[int, ...], token: int) -> float:
        """Return the natural log-probability of one token right after the prompt.

        Raises:
            UnservableError: The token is not whole characters, so it cannot be asked for.
        """
        ...

    def close(self) -> None:
        """Stop computing; waiting requests fail."""
        ...
