"""The JSON of the OpenAI-compatible interfaces: bodies out, answers in. Plain functions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import orjson

from asyncgen.errors import TransientError
from asyncgen.records import Completion, FinishReason, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncgen.records import Request, Sampling

__all__ = [
    "PATHS",
    "Dialect",
    "adapt",
    "body_of",
    "error_code",
    "error_message",
    "model_names",
    "read_completion",
    "with_cost",
]

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
_FINISH: dict[Any, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    # llama.cpp and Ollama on their older routes
    "eos": "stop",
    "limit": "length",
}
_MOST_STOPS = 4
"""The interface takes no more stop strings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What one service understands; learned from its refusals.

    Attributes:
        without: Optional parameters that it refuses.
        limit_name: What it calls the bound of the answer.
        restricts_choices: Whether it knows vLLM's ``structured_outputs``.
    """

    model: str
    api: Literal["chat", "completions"]
    without: frozenset[str] = frozenset()
    limit_name: str = "max_tokens"
    restricts_choices: bool = False


def body_of(request: Request, dialect: Dialect) -> dict[str, Any]:
    """Return the JSON body that asks ``request`` in a dialect."""
    sampling = request.sampling
    body: dict[str, Any] = {"model": dialect.model, **_prompt_of(request, dialect.api)}
    body[dialect.limit_name] = sampling.max_output_tokens
    body |= {name: value for name in _OPTIONAL if (value := getattr(sampling, name)) is not None}
    if sampling.stop:
        body["stop"] = list(sampling.stop[:_MOST_STOPS])
    if sampling.choices and dialect.api == "completions":
        body["logprobs"] = 5
        if dialect.restricts_choices:
            body["structured_outputs"] = {"choice": list(sampling.choices)}
    return {name: value for name, value in body.items() if name not in dialect.without}


def _prompt_of(request: Request, api: str) -> dict[str, Any]:
    prompt = request.prompt
    if api == "completions":
        return {"prompt": prompt.fixed + prompt.variable}
    messages = [{"role": "user", "content": prompt.variable}]
    if prompt.fixed:
        messages.insert(0, {"role": "system", "content": prompt.fixed})
    return {"messages": messages}


def adapt(dialect: Dialect, status: int, content: bytes) -> Dialect | None:
    """Return the dialect without the parameter that a refusal names, or ``None``.

    Hosts differ in what they take: reasoning models refuse ``temperature`` and
    ``max_tokens``, others ``seed``. They say so by code, naming the parameter.
    """
    error = _error_of(content)
    name = error.get("param")
    if status != 400 or error.get("code") not in {"unsupported_parameter", "unsupported_value"}:
        return None
    if name == "max_tokens" and dialect.limit_name == name:
        return replace(dialect, limit_name="max_completion_tokens")
    if name in {*_OPTIONAL, "stop", "logprobs"} and name not in dialect.without:
        return replace(dialect, without=dialect.without | {name})
    return None


def read_completion(
    body: Any, sampling: Sampling, *, endpoint: str, started_at: float, seconds: float
) -> Completion:
    """Read an answer.

    Raises:
        TransientError: If it is not the JSON that the interface promises, or an
            error in the disguise of HTTP 200.
    """
    try:
        choice = body["choices"][0]
        text = choice["message"]["content"] if "message" in choice else choice["text"]
        usage = body.get("usage") or {}
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        said = error_message(orjson.dumps(body))
        raise TransientError(
            f"HTTP 200, but not an answer: {said}", possibly_billed=True
        ) from error
    return Completion(
        text=text if isinstance(text, str) else "",
        finish_reason=_FINISH.get(choice.get("finish_reason"), "stop"),
        usage=_usage_of(usage),
        endpoint=endpoint,
        model=str(body.get("model", "")),
        choice_logprobs=_choice_logprobs(choice.get("logprobs"), sampling.choices),
        started_at=started_at,
        seconds=seconds,
    )


def with_cost(completion: Completion, cost: float | None) -> Completion:
    """Return the completion with its price in US dollars."""
    return msgspec.structs.replace(completion, cost=cost)


def _usage_of(usage: Mapping[str, Any]) -> Usage:
    details = usage.get("prompt_tokens_details") or {}
    return Usage(
        input_tokens=int(usage.get("prompt_tokens") or 0),
        output_tokens=int(usage.get("completion_tokens") or 0),
        cached_tokens=int(details.get("cached_tokens") or 0),
    )


def _choice_logprobs(logprobs: Any, choices: tuple[str, ...]) -> dict[str, float] | None:
    """Return the log-probability of each choice as the first token, or ``None`` if one is missing.

    A choice may appear with and without a leading blank, or cut by the
    tokenizer (``" Y"``): every reported token that begins it counts for it.
    """
    if not choices or not isinstance(logprobs, dict):
        return None
    first = (logprobs.get("top_logprobs") or [None])[0]
    if not isinstance(first, dict):
        return None
    found: dict[str, float] = {}
    for choice in choices:
        shares = [
            math.exp(value)
            for token, value in first.items()
            if token.strip() and choice.strip().startswith(token.strip())
        ]
        if not shares:
            return None
        found[choice] = math.log(max(sum(shares), 5e-324))
    return found


def _error_of(content: bytes) -> dict[str, Any]:
    try:
        error = orjson.loads(content)["error"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {"message": error}


def error_code(content: bytes) -> str:
    """Return the ``code``, else the ``type``, of an error body; empty if there is none."""
    error = _error_of(content)
    return str(error.get("code") or error.get("type") or "")


def error_message(content: bytes) -> str:
    """Return what an error body says, on one line of at most 300 characters."""
    error = _error_of(content)
    said = error.get("message") or content.decode("utf-8", "replace")
    line = " ".join(str(said).split())
    return line if len(line) <= 300 else f"{line[:299]}…"


def model_names(content: bytes) -> list[str] | None:
    """Return the ids in an answer to ``GET /models``, or ``None`` if it is none."""
    try:
        return [str(model["id"]) for model in orjson.loads(content)["data"]]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
