"""Read OpenAI request bodies, with vLLM's extensions, into values."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import orjson

from asyncgen.endpoints.embedded.fields import BadRequestError, Fields
from asyncgen.endpoints.embedded.generation import Constraint, GenerationParameters

__all__ = ["Message", "ServedRequest", "read_chat_request", "read_completion_request"]

Message = dict[str, str]

_MAX_TOKENS = 1 << 20
# What we do not do, and the values that ask for nothing.
_UNSUPPORTED: dict[str, tuple[Any, ...]] = {
    "stream": (False,),
    "n": (1,),
    "best_of": (1,),
    "suffix": ("",),
    "logit_bias": ({},),
    "tools": ([],),
    "functions": ([],),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedRequest:
    """A request as the server works on it.

    Attributes:
        parameters: How to continue; max_tokens is 0 where the body leaves it open.
        prompt: The text to continue (completions).
        messages: The conversation to continue (chat).
        continues: The last message is the beginning of the answer (vLLM's
            `continue_final_message`).
        choices: The only answers allowed, if the request names them.
        echo: Answer the prompt's text too.
    """

    parameters: GenerationParameters
    prompt: str = ""
    messages: tuple[Message, ...] = ()
    continues: bool = False
    choices: tuple[str, ...] = ()
    echo: bool = False


def read_completion_request(body: bytes, model: str) -> ServedRequest:
    """Read the body of `POST /v1/completions`.

    Raises:
        BadRequestError: Another model's name, or a field that is wrong or not supported.
    """
    fields = _supported_fields(body, model)
    prompts = fields.texts("prompt")
    if len(prompts) != 1:
        raise BadRequestError("prompt must be one text that is not empty", "prompt")
    logprobs = fields.integer("logprobs", 0, 20) is not None
    echo = fields.flag("echo")
    constraint, choices = _form(fields)
    return ServedRequest(
        parameters=_parameters(
            fields,
            max_tokens=fields.integer("max_tokens", 1, _MAX_TOKENS) or 16,
            logprobs=logprobs,
            echo=echo and logprobs,
            constraint=constraint,
        ),
        prompt=prompts[0],
        choices=choices,
        echo=echo,
    )


def read_chat_request(body: bytes, model: str) -> ServedRequest:
    """Read the body of `POST /v1/chat/completions`.

    Raises:
        BadRequestError: Another model's name, or a field that is wrong or not supported.
    """
    fields = _supported_fields(body, model)
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequestError("messages must be a list that is not empty", "messages")
    limits = (fields.integer(n, 1, _MAX_TOKENS) for n in ("max_completion_tokens", "max_tokens"))
    constraint, choices = _form(fields)
    return ServedRequest(
        parameters=_parameters(
            fields,
            max_tokens=next((limit for limit in limits if limit is not None), 0),
            logprobs=fields.flag("logprobs"),
            constraint=constraint,
        ),
        messages=tuple(_message(message) for message in messages),
        continues=_continues(fields, messages),
        choices=choices,
    )


def _supported_fields(body: bytes, model: str) -> Fields:
    fields = Fields(body)
    asked = fields.get("model")
    if asked not in {None, model}:
        raise BadRequestError(
            f"the model {asked!r} does not exist; this server has {model!r}",
            "model",
            "model_not_found",
            status=404,
        )
    for name, neutral in _UNSUPPORTED.items():
        value = fields.get(name)
        if value is not None and value not in neutral:
            raise BadRequestError(f"{name} is not supported by the embedded model", name)
    return fields


def _parameters(
    fields: Fields,
    *,
    max_tokens: int,
    logprobs: bool,
    constraint: Constraint | None,
    echo: bool = False,
) -> GenerationParameters:
    seed = fields.integer("seed", -(1 << 63), (1 << 63) - 1)
    return GenerationParameters(
        max_tokens=max_tokens,
        temperature=fields.number("temperature", 1.0, 0.0, 100.0),
        top_p=fields.number("top_p", 1.0, 1e-6, 1.0),
        # vLLM writes "all tokens" as -1.
        top_k=max(0, fields.integer("top_k", -1, 1 << 31) or 0),
        min_p=fields.number("min_p", 0.0, 0.0, 1.0),
        seed=(secrets.randbits(32) if seed is None else seed) & 0xFFFFFFFF,
        stop=fields.texts("stop"),
        presence_penalty=fields.number("presence_penalty", 0.0, -2.0, 2.0),
        frequency_penalty=fields.number("frequency_penalty", 0.0, -2.0, 2.0),
        repetition_penalty=fields.number("repetition_penalty", 1.0, 0.01, 100.0),
        logprobs=logprobs,
        echo=echo,
        constraint=constraint,
    )


def _continues(fields: Fields, messages: list[Any]) -> bool:
    if not fields.flag("continue_final_message"):
        return False
    if len(messages) < 2 or _message(messages[-1])["role"] != "assistant":
        raise BadRequestError(
            "continue_final_message needs an assistant's message at the end", "messages"
        )
    return True


def _message(message: Any) -> Message:
    if not isinstance(message, dict):
        raise BadRequestError("each message must be an object", "messages")
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str) or not isinstance(content, str):
        raise BadRequestError("each message needs a text role and a text content", "messages")
    return {"role": role, "content": content}


def _form(fields: Fields) -> tuple[Constraint | None, tuple[str, ...]]:
    """Return the constraint on the answer and the answers allowed, at most one of the two."""
    wanted = fields.get("structured_outputs")
    if wanted is None:
        return _response_format(fields.get("response_format")), ()
    if not isinstance(wanted, dict) or len(wanted) != 1:
        raise BadRequestError(
            "structured_outputs must hold one of choice, regex, json, grammar",
            "structured_outputs",
        )
    match wanted:
        case {"choice": [str(), *_] as choices} if all(c and isinstance(c, str) for c in choices):
            return None, tuple(dict.fromkeys(choices))
        case {"regex": str(value)}:
            return Constraint("regex", value), ()
        case {"grammar": str(value)}:
            return Constraint("grammar", value), ()
        case {"json": str(value)}:
            return Constraint("json", value), ()
        case {"json": dict(schema)}:
            return Constraint("json", orjson.dumps(schema).decode()), ()
        case _:
            raise BadRequestError("structured_outputs is malformed", "structured_outputs")


def _response_format(wanted: Any) -> Constraint | None:
    match wanted:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return Constraint("json", '{"type":"object"}')
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return Constraint("json", orjson.dumps(schema).decode())
        case _:
            raise BadRequestError("response_format is malformed", "response_format")
