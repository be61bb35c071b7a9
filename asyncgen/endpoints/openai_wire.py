"""The JSON of the OpenAI-compatible interfaces: bodies out, answers in. Plain functions."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from asyncgen.endpoints.bodies import (
    count,
    error_of,
    error_words,
    one_line,
    parsed_or_none,
    said_by,
    table,
    well_formed,
)
from asyncgen.endpoints.wire import Dialect, Said, Wire
from asyncgen.errors import BadAnswerError
from asyncgen.records import Api, FinishReason, Usage

if TYPE_CHECKING:
    from asyncgen.records import Prompt, Request, Sampling

__all__ = ["OPENAI", "PATHS", "adapt", "body_of", "read"]

PATHS = {"chat": "/chat/completions", "completions": "/completions"}

_OPTIONAL = (
    "temperature",
    "top_p",
    "top_k",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "seed",
)
_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    # llama.cpp and Ollama on their older routes
    "eos": "stop",
    "limit": "length",
}
_MOST_STOPS = 4
"""The interface takes no more stop strings."""

_REFUSES_PARAMETER = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter"})


def body_of(request: Request, dialect: Dialect) -> bytes:
    """Return the JSON that asks ``request`` in a dialect."""
    sampling = request.sampling
    body: dict[str, Any] = {"model": dialect.model}
    if request.prompt.api == "completions":
        body["prompt"] = _written(request.prompt)
    else:
        _add_messages(body, request.prompt)
    body[dialect.limit_name] = sampling.max_output_tokens
    for name in _OPTIONAL:
        if (value := getattr(sampling, name)) is not None:
            body[name] = value
    if sampling.stop:
        body["stop"] = sampling.stop[:_MOST_STOPS]
    if sampling.choices and request.prompt.api == "completions":
        body["logprobs"] = 5
        if dialect.restricts_choices:
            body["structured_outputs"] = {"choice": sampling.choices}
    for name in dialect.without:
        body.pop(name, None)
    return orjson.dumps(body)


def _written(prompt: Prompt) -> str:
    shown = "".join(said + answered for said, answered in prompt.turns)
    return prompt.fixed + shown + prompt.variable


def _add_messages(body: dict[str, Any], prompt: Prompt) -> None:
    if prompt.continues:
        *turns, (asked, begun) = prompt.turns
        messages = _fixed_messages(prompt.fixed, tuple(turns), asked)
        last = {"role": "assistant", "content": begun + prompt.variable}
        # vLLM's names; others go on with an assistant's message unasked, or refuse.
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    else:
        messages = _fixed_messages(prompt.fixed, prompt.turns, None)
        last = {"role": "user", "content": prompt.variable}
    body["messages"] = [*messages, last]


@lru_cache(maxsize=64)
def _fixed_messages(
    fixed: str, turns: tuple[tuple[str, str], ...], asked: str | None
) -> tuple[orjson.Fragment, ...]:
    """Return the messages that are the same for many requests, written once: none or one piece."""
    messages = [("system", fixed)] if fixed else []
    for said, answered in turns:
        messages += [("user", said), ("assistant", answered)]
    if asked is not None:
        messages.append(("user", asked))
    written = [orjson.dumps({"role": role, "content": content}) for role, content in messages]
    # Put into a list as one piece, what is between the brackets is as good as all the messages.
    return (orjson.Fragment(b",".join(written)),) if written else ()


def adapt(dialect: Dialect, status: int, content: bytes) -> Dialect | None:
    """Return the dialect without the parameter that a refusal names, or ``None``.

    Hosts differ in what they take: reasoning models refuse ``temperature`` and
    ``max_tokens``, others ``seed``. They say so by code, naming the parameter.
    """
    if status != 400:
        return None
    body = parsed_or_none(content)
    name = error_of(body).get("param")
    if _REFUSES_PARAMETER.isdisjoint(error_words(body)):
        return None
    if name == "max_tokens" and dialect.limit_name == name:
        return replace(dialect, limit_name="max_completion_tokens")
    if name in {*_OPTIONAL, "stop", "logprobs"} and name not in dialect.without:
        return replace(dialect, without=dialect.without | {name})
    return None


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


def _path(_base_url: str, api: Api) -> str:
    return PATHS.get(api, PATHS["chat"])


def _key_headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


OPENAI = Wire(
    path=_path,
    models_path=lambda _base_url: "/models",
    key_headers=_key_headers,
    body=body_of,
    read=read,
    adapt=adapt,
)
