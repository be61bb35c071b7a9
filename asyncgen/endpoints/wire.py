"""What a protocol of a language model's service is made of: functions, one value for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.records import Api, FinishReason, Request, Sampling, Usage

__all__ = ["Dialect", "Said", "Wire"]


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


class Said(Struct, frozen=True, kw_only=True):
    """What a body says the model answered; see :class:`asyncgen.records.Completion`."""

    text: str
    finish_reason: FinishReason
    usage: Usage
    model: str
    choice_logprobs: dict[str, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A protocol.

    Attributes:
        path: From a base URL and an interface to what is added to that URL.
        models_path: From a base URL to what is added to it for the list of models.
        key_headers: From a key, empty for none, to the headers that carry it and what else
            every request needs.
        body: From a request to the JSON that asks it in a dialect.
        glance: From the bytes of an answer to what the model said, without choices; ``None``
            where that takes a closer look.
        read: From parsed JSON to what the model said; raises ``BadAnswerError`` if it is no
            answer.
        adapt: From the status and body of a refusal to the dialect without what was refused,
            or ``None`` if no optional parameter was.
    """

    path: Callable[[str, Api], str]
    models_path: Callable[[str], str]
    key_headers: Callable[[str], dict[str, str]]
    body: Callable[[Request, Dialect], bytes]
    glance: Callable[[bytes], Said | None]
    read: Callable[[Any, Sampling], Said]
    adapt: Callable[[Dialect, int, bytes], Dialect | None]
