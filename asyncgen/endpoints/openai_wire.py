"""The JSON of the OpenAI-compatible interfaces: bodies out, answers in. Plain functions."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from asyncgen.errors import TransientError
from asyncgen.records import Completion, FinishReason, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncgen.records import Prompt, Request, Sampling

__all__ = [
    "PATHS",
    "Dialect",
    "adapt",
    "body_of",
    "error_code",
    "error_message",
    "model_names",
    "one_line",
    "parsed",
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
_LARGEST_COUNT = 2**53
_LONGEST_LINE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What one service understands; learned from its refusals.

    Attributes:
        without: Optional parameters that it refuses.
        limit_name: What it calls the bound of the answer.
        restricts_choices: Whether it knows vLLM's ``structured_outputs``.
    """

    model: str
    without: frozenset[str] = frozenset()
    limit_name: str = "max_tokens"
    restricts_choices: bool = False


def body_of(request: Request, dialect: Dialect) -> dict[str, Any]:
    """Return the JSON body that asks ``request`` in a dialect."""
    sampling = request.sampling
    body: dict[str, Any] = {"model": dialect.model, **_prompt_of(request.prompt)}
    body[dialect.limit_name] = sampling.max_output_tokens
    body |= {name: value for name in _OPTIONAL if (value := getattr(sampling, name)) is not None}
    if sampling.stop:
        body["stop"] = list(sampling.stop[:_MOST_STOPS])
    if sampling.choices and request.prompt.api == "completions":
        body["logprobs"] = 5
        if dialect.restricts_choices:
            body["structured_outputs"] = {"choice": list(sampling.choices)}
    return {name: value for name, value in body.items() if name not in dialect.without}


def _prompt_of(prompt: Prompt) -> dict[str, Any]:
    if prompt.api == "completions":
        shown = "".join(said + answered for said, answered in prompt.turns)
        return {"prompt": prompt.fixed + shown + prompt.variable}
    messages = [("system", prompt.fixed)] if prompt.fixed else []
    for said, answered in prompt.turns:
        messages += [("user", said), ("assistant", answered)]
    body: dict[str, Any] = {}
    if prompt.continues:
        role, begun = messages.pop()
        messages.append((role, begun + prompt.variable))
        # vLLM's names; others go on with an assistant's message unasked, or refuse.
        body = {"continue_final_message": True, "add_generation_prompt": False}
    else:
        messages.append(("user", prompt.variable))
    body["messages"] = [{"role": role, "content": content} for role, content in messages]
    return body


def adapt(dialect: Dialect, status: int, content: bytes) -> Dialect | None:
    """Return the dialect without the parameter that a refusal names, or ``None``.

    Hosts differ in what they take: reasoning models refuse ``temperature`` and
    ``max_tokens``, others ``seed``. They say so by code, naming the parameter.
    """
    name = _error_of(_parsed_or_none(content)).get("param")
    if status != 400 or error_code(content) not in _REFUSES_PARAMETER:
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
        # Some services leave the content out where there is none.
        text = choice["message"].get("content") if "message" in choice else choice["text"]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        said = _said_by(body) or one_line(body)
        raise TransientError(
            f"HTTP 200, but not an answer: {said}", possibly_billed=True
        ) from error
    return Completion(
        text=_well_formed(text) if isinstance(text, str) else "",
        finish_reason=_FINISH.get(str(choice.get("finish_reason")), "stop"),
        usage=_usage_of(body.get("usage")),
        endpoint=endpoint,
        model=_well_formed(str(body.get("model") or "")),
        choice_logprobs=_choice_logprobs(choice.get("logprobs"), sampling.choices),
        started_at=started_at,
        seconds=seconds,
    )


def with_cost(completion: Completion, cost: float | None) -> Completion:
    """Return the completion with its price in US dollars."""
    return msgspec.structs.replace(completion, cost=cost)


def _well_formed(text: str) -> str:
    """Return the text with what no UTF-8 can hold replaced: half of a character cut in two."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _usage_of(usage: Any) -> Usage:
    table = _table(usage)
    return Usage(
        input_tokens=_count(table.get("prompt_tokens")),
        output_tokens=_count(table.get("completion_tokens")),
        cached_tokens=_count(_table(table.get("prompt_tokens_details")).get("cached_tokens")),
    )


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int:
    """Return a number of tokens; 0 for what cannot be one."""
    if not isinstance(value, int | float) or not 0 <= value <= _LARGEST_COUNT:
        return 0
    return int(value)


def _choice_logprobs(logprobs: Any, choices: tuple[str, ...]) -> dict[str, float] | None:
    """Return the log-probability of each choice as the first token, or ``None`` if one is missing.

    A choice may appear with and without a leading blank, in other case, or cut
    by the tokenizer (``" Y"``): every reported token that begins it counts for
    it. What begins several choices tells nothing and counts for none.
    """
    top = _table(logprobs).get("top_logprobs")
    first = _table(top[0]) if isinstance(top, list) and top else {}
    shares: dict[str, float] = {}
    for token, value in first.items():
        begun = [choice for choice in choices if _begins(token, choice)]
        if len(begun) == 1 and isinstance(value, int | float) and not math.isnan(value):
            shares[begun[0]] = shares.get(begun[0], 0.0) + math.exp(min(value, 0.0))

    if not choices or len(shares) < len(choices):
        return None
    return {choice: math.log(max(shares[choice], 5e-324)) for choice in choices}


def _begins(token: str, choice: str) -> bool:
    start = token.strip().casefold()
    return bool(start) and choice.strip().casefold().startswith(start)


def parsed(content: bytes) -> Any:
    """Return what a JSON text stands for; one with half characters in it is read all the same.

    Raises:
        ValueError: If it is no JSON.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        # Strict about UTF-8, where a model was cut off in the middle of a character.
        try:
            return json.loads(content.decode("utf-8", "replace"))
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def _error_of(body: Any) -> Mapping[str, Any]:
    error = _table(body).get("error")
    return error if isinstance(error, dict) else {"message": error}


def _said_by(body: Any) -> str:
    return one_line(_error_of(body).get("message") or "")


def _parsed_or_none(content: bytes) -> Any:
    try:
        return parsed(content)
    except ValueError:
        return None


def error_code(content: bytes) -> str:
    """Return the ``code`` of an error body, its ``type`` if that is no word, else nothing."""
    error = _error_of(_parsed_or_none(content))
    words = (error.get("code"), error.get("type"))
    return next((word for word in words if isinstance(word, str) and word), "")


def error_message(content: bytes) -> str:
    """Return what an error body says, on one line of at most 300 characters."""
    return _said_by(_parsed_or_none(content)) or one_line(content.decode("utf-8", "replace"))


def one_line(said: object) -> str:
    """Return other people's words on one line of at most 300 printable characters."""
    text = str(said)[: 4 * _LONGEST_LINE]
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(printable.split())
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"


def model_names(content: bytes) -> list[str] | None:
    """Return the ids in an answer to ``GET /models``, or ``None`` if it is none."""
    try:
        return [str(model["id"]) for model in _parsed_or_none(content)["data"]]
    except (KeyError, TypeError):
        return None
