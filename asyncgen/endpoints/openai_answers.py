"""The answers of OpenAI-compatible interfaces: at a glance where they are as most. Plain functions.

A glance takes a third of the time of a closer look, which forgives whatever
services have been seen to send.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from msgspec import DecodeError, Meta, Struct
from msgspec.json import Decoder

from asyncgen.endpoints.bodies import count, one_line, said_by, table, well_formed
from asyncgen.endpoints.wire import Said
from asyncgen.errors import BadAnswerError
from asyncgen.records import FinishReason, Sampling, Usage

__all__ = ["glance", "read"]

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    # llama.cpp and Ollama on their older routes
    "eos": "stop",
    "limit": "length",
}

_Count = Annotated[int, Meta(ge=0, le=2**53)]


class _Input(Struct):
    cached_tokens: _Count = 0
    cache_write_tokens: _Count = 0


class _Output(Struct):
    # Where there are any, services differ in how they count them.
    reasoning_tokens: Literal[0] = 0


class _Counted(Struct):
    prompt_tokens: _Count
    completion_tokens: _Count
    prompt_tokens_details: _Input | None = None
    completion_tokens_details: _Output | None = None
    prompt_cache_hit_tokens: None = None


class _Message(Struct):
    content: Annotated[str, Meta(min_length=1)]


class _Choice(Struct):
    message: _Message
    finish_reason: Literal["stop", "length", "content_filter"]


class _Usual(Struct):
    """An answer as most are; what it must not hold is ``None``."""

    choices: Annotated[list[_Choice], Meta(min_length=1)]
    usage: _Counted
    model: str
    error: None = None


_USUAL = Decoder(_Usual)
_NO_DETAILS = _Input()


def glance(content: bytes) -> Said | None:
    """Read an answer that is as most are, ``None`` for one that takes a closer look.

    What it returns is what :func:`read` would, asked for no choices.
    """
    try:
        body = _USUAL.decode(content)
    except (DecodeError, UnicodeError, RecursionError):
        return None
    choice, told = body.choices[0], body.usage
    of_input = told.prompt_tokens_details or _NO_DETAILS
    return Said(
        text=well_formed(choice.message.content),
        finish_reason=choice.finish_reason,
        usage=Usage(
            input_tokens=told.prompt_tokens,
            output_tokens=told.completion_tokens,
            cached_tokens=of_input.cached_tokens,
            cache_write_tokens=of_input.cache_write_tokens,
        ),
        model=well_formed(body.model),
    )


def read(body: Any, sampling: Sampling) -> Said:
    """Read an answer.

    Raises:
        BadAnswerError: If it is not the JSON that the interface promises, an error in the
            disguise of HTTP 200, or empty; see :func:`_is_empty`.
    """
    try:
        choice = body["choices"][0]
        message = choice.get("message", choice)
        # Some services leave the content out where there is none.
        text = message.get("content") if message is not choice else choice["text"]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadAnswerError(
            f"HTTP 200, but not an answer: {said_by(body) or one_line(body)}"
        ) from error
    reason = choice.get("finish_reason")
    if reason == "error":
        raise BadAnswerError(f"HTTP 200, but the answer failed: {said_by(choice)}")
    said = Said(
        text=well_formed(text) if isinstance(text, str) else "",
        finish_reason=_FINISH.get(str(reason), "stop"),
        usage=_usage_of(body.get("usage")),
        model=well_formed(str(body.get("model") or "")),
        choice_logprobs=_choice_logprobs(choice.get("logprobs"), sampling.choices),
    )
    if not said.text and said.finish_reason == "stop" and _is_empty(body, message, said.usage):
        raise BadAnswerError("HTTP 200, but the answer is empty")
    return said


def _is_empty(body: Any, message: Any, usage: Usage) -> bool:
    """Return whether an answer without text is none at all.

    A model may end at once: then a token was made, the one that ends the answer,
    and is counted. What was filtered or cut off says so by its reason. But where
    no token was made nothing was answered; without a count, a text that is empty
    stands for an answer, and one that is missing does not.
    """
    if message.get("tool_calls") or message.get("refusal"):
        return False
    if isinstance(body.get("usage"), dict):
        return usage.output_tokens == 0
    return not isinstance(message.get("content", message.get("text")), str)


def _usage_of(usage: Any) -> Usage:
    told = table(usage)
    shown, made = count(told.get("prompt_tokens")), count(told.get("completion_tokens"))
    of_input = table(told.get("prompt_tokens_details"))
    reasoning = count(table(told.get("completion_tokens_details")).get("reasoning_tokens"))
    if reasoning and count(told.get("total_tokens")) == shown + made + reasoning:
        # xAI and Gemini count reasoning beside the answer, all others within it.
        made += reasoning
    return Usage(
        input_tokens=shown,
        output_tokens=made,
        # DeepSeek's name where there are no details.
        cached_tokens=count(of_input.get("cached_tokens", told.get("prompt_cache_hit_tokens"))),
        cache_write_tokens=count(of_input.get("cache_write_tokens")),
        reasoning_tokens=reasoning,
    )


def _choice_logprobs(logprobs: Any, choices: tuple[str, ...]) -> dict[str, float] | None:
    """Return the log-probability of each choice as the first token, or ``None`` if one is missing.

    A choice may appear with and without a leading blank, in other case, or cut
    by the tokenizer (``" Y"``): every reported token that begins it counts for
    it. What begins several choices tells nothing and counts for none.
    """
    if not choices:
        return None
    top = table(logprobs).get("top_logprobs")
    first = table(top[0]) if isinstance(top, list) and top else {}
    shares: dict[str, float] = {}
    for token, value in first.items():
        begun = [choice for choice in choices if _begins(token, choice)]
        if len(begun) == 1 and isinstance(value, int | float) and not math.isnan(value):
            shares[begun[0]] = shares.get(begun[0], 0.0) + math.exp(min(value, 0.0))

    if len(shares) < len(choices):
        return None
    return {choice: math.log(max(shares[choice], 5e-324)) for choice in choices}


def _begins(token: str, choice: str) -> bool:
    start = token.strip().casefold()
    return bool(start) and choice.strip().casefold().startswith(start)
