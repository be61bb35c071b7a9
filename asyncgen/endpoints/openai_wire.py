"""The JSON that asks OpenAI-compatible interfaces, and what they refuse of it. Plain functions."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from asyncgen.endpoints.bodies import error_of, error_words, parsed_or_none
from asyncgen.endpoints.openai_answers import glance, read
from asyncgen.endpoints.wire import Dialect, Wire

if TYPE_CHECKING:
    from asyncgen.records import Api, Prompt, Request

__all__ = ["OPENAI", "PATHS", "adapt", "body_of"]

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


def _path(_base_url: str, api: Api) -> str:
    return PATHS.get(api, PATHS["chat"])


def _key_headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


OPENAI = Wire(
    path=_path,
    models_path=lambda _base_url: "/models",
    key_headers=_key_headers,
    body=body_of,
    glance=glance,
    read=read,
    adapt=adapt,
)
