"""The JSON of Anthropic's messages interface: bodies out, answers in. Plain functions.

Sources: platform.claude.com/docs, "Messages", "Prompt caching" and "Errors".
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from asyncgen.endpoints.bodies import (
    count,
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

__all__ = ["ANTHROPIC", "adapt", "body_of", "read"]

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
_OPTIONAL = ("top_p", "top_k", "temperature", "stop_sequences")
"""What a model may refuse, the least missed first."""

_REFUSES_PARAMETER = re.compile(
    r"cannot both|deprecated|not permitted|not supported|does not support|unsupported",
    re.IGNORECASE,
)
_CACHED = {"cache_control": {"type": "ephemeral"}}
_WORTH_CACHING = 4096
"""Characters, about 1,024 tokens: no model caches less, and the mark would be for nothing."""


def body_of(request: Request, dialect: Dialect) -> bytes:
    """Return the JSON that asks ``request``.

    The fixed part is marked for the prefix cache where it is long enough. What
    the interface does not know (seed, penalties, choices) is left out, and a
    temperature above 1, the highest it takes, is 1.
    """
    prompt, sampling = request.prompt, request.sampling
    body: dict[str, Any] = {"model": dialect.model}
    fixed, messages = _fixed(prompt.fixed, *_fixed_turns(prompt))
    body |= fixed
    body["messages"] = [*messages, _last_message(prompt)]
    body["max_tokens"] = sampling.max_output_tokens
    if sampling.temperature is not None:
        body["temperature"] = min(sampling.temperature, 1.0)
    if sampling.top_p is not None:
        body["top_p"] = sampling.top_p
    if sampling.top_k is not None:
        body["top_k"] = sampling.top_k
    # A stop of blanks alone is refused.
    if stops := [stop for stop in sampling.stop if stop.strip()]:
        body["stop_sequences"] = stops
    for name in dialect.without:
        body.pop(name, None)
    return orjson.dumps(body)


def _fixed_turns(prompt: Prompt) -> tuple[tuple[tuple[str, str], ...], str | None]:
    """Return the turns that are shown, and the question whose answer is begun, if one is."""
    if not prompt.continues:
        return prompt.turns, None
    return prompt.turns[:-1], prompt.turns[-1][0]


def _last_message(prompt: Prompt) -> dict[str, str]:
    if not prompt.continues:
        return {"role": "user", "content": prompt.variable}
    # An answer that was begun must not end in a blank.
    return {"role": "assistant", "content": (prompt.turns[-1][1] + prompt.variable).rstrip()}


@lru_cache(maxsize=64)
def _fixed(
    system: str, turns: tuple[tuple[str, str], ...], asked: str | None
) -> tuple[dict[str, orjson.Fragment], tuple[orjson.Fragment, ...]]:
    """Return what is the same for many requests, written once: the system text and the turns."""
    messages = [part for turn in turns for part in zip(("user", "assistant"), turn, strict=True)]
    if asked is not None:
        messages.append(("user", asked))
    length = len(system) + sum(len(content) for _, content in messages)
    written = [
        _message(role, content, cached=length >= _WORTH_CACHING and place == len(messages))
        for place, (role, content) in enumerate(messages, start=1)
    ]
    body: dict[str, orjson.Fragment] = {}
    if system:
        is_cached = len(system) >= _WORTH_CACHING
        body["system"] = orjson.Fragment(orjson.dumps(_content(system, cached=is_cached)))
    return body, (orjson.Fragment(b",".join(written)),) if written else ()


def _message(role: str, content: str, *, cached: bool) -> bytes:
    return orjson.dumps({"role": role, "content": _content(content, cached=cached)})


def _content(text: str, *, cached: bool) -> Any:
    return [{"type": "text", "text": text, **_CACHED}] if cached else text


def adapt(dialect: Dialect, status: int, content: bytes) -> Dialect | None:
    """Return the dialect without a parameter that a refusal names in its message, or ``None``.

    Newer models refuse ``temperature`` beside ``top_p``, or either of them.
    """
    body = parsed_or_none(content)
    said = said_by(body)
    if status != 400 or "invalid_request_error" not in error_words(body):
        return None
    if not _REFUSES_PARAMETER.search(said):
        return None
    for name in _OPTIONAL:
        if name not in dialect.without and re.search(rf"\b{name}\b", said):
            return replace(dialect, without=dialect.without | {name})
    return None


def read(body: Any, sampling: Sampling) -> Said:  # noqa: ARG001 - there are no choices here
    """Read an answer: its text blocks, without what the model thought.

    Raises:
        BadAnswerError: If it is not the JSON that the interface promises, an error in the
            disguise of HTTP 200, or ended without a token made.
    """
    content = table(body).get("content")
    if not isinstance(content, list):
        raise BadAnswerError(f"HTTP 200, but not an answer: {said_by(body) or one_line(body)}")
    blocks = [table(block) for block in content]
    texts = [block.get("text") for block in blocks if block.get("type") == "text"]
    said = Said(
        text=well_formed("".join(text for text in texts if isinstance(text, str))),
        finish_reason=_FINISH.get(str(body.get("stop_reason")), "stop"),
        usage=_usage_of(body.get("usage")),
        model=well_formed(str(body.get("model") or "")),
    )
    # A model may end at once: then the token that ends the answer is counted.
    made = said.text or said.usage.output_tokens or said.finish_reason != "stop"
    if not made and all(block.get("type") == "text" for block in blocks):
        raise BadAnswerError("HTTP 200, but the answer is empty")
    return said


def _usage_of(usage: Any) -> Usage:
    told = table(usage)
    cached = count(told.get("cache_read_input_tokens"))
    written = count(told.get("cache_creation_input_tokens"))
    return Usage(
        # Theirs are only those that have nothing to do with the cache.
        input_tokens=count(told.get("input_tokens")) + cached + written,
        output_tokens=count(told.get("output_tokens")),
        cached_tokens=cached,
        cache_write_tokens=written,
    )


def _path(base_url: str, _api: Api) -> str:
    return f"{_version(base_url)}/messages"


def _models_path(base_url: str) -> str:
    return f"{_version(base_url)}/models"


def _version(base_url: str) -> str:
    """Return what a base URL lacks: Anthropic's own tools take it without ``/v1``."""
    return "" if base_url.rstrip("/").endswith("/v1") else "/v1"


def _key_headers(key: str) -> dict[str, str]:
    return {"anthropic-version": "2023-06-01", **({"x-api-key": key} if key else {})}


ANTHROPIC = Wire(
    path=_path,
    models_path=_models_path,
    key_headers=_key_headers,
    body=body_of,
    glance=lambda _content: None,
    read=read,
    adapt=adapt,
)
