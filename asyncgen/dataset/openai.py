"""What OpenAI documents of the data that it fine-tunes chat models with.

Sources: the guide to fine-tuning (at least 10 examples; the tokens of an
example by model, and that longer ones are cut), the reference of file uploads
(``.jsonl``, at most 512 MB), the cookbook's checks of chat data (keys, roles,
content that is not empty, an assistant's message), read in November 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FEWEST_EXAMPLES", "MOST_BYTES", "MOST_TOKENS", "offence_in_file", "offence_in_row"]

FEWEST_EXAMPLES = 10
"""Of a training file."""

MOST_BYTES = 512_000_000
"""Of a file: 512 MB, of the smaller sort."""

MOST_TOKENS = 65_536
"""Of one example, for gpt-4o, gpt-4o-mini and later ones; 16,385 for gpt-3.5-turbo."""

_KEYS = ["content", "role"]
_ROLES = frozenset({"system", "user", "assistant"})
_FRAME = 8
"""Tokens that frame a message or an example, and more than they are."""


def offence_in_row(row: Mapping[str, Any], most_tokens: int) -> str | None:
    """Return which rule an example breaks, ``None`` if it breaks none.

    A token is a byte at the least: an example of so few bytes has no more
    tokens, whatever the tokenizer, which could not be had without a network.
    """
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        return "no messages"
    offence = next(filter(None, map(_offence_in_message, messages)), None)
    if offence is not None:
        return offence
    if messages[-1]["role"] != "assistant":
        return "last message is not the assistant's"
    if _worst_tokens(messages) > most_tokens:
        return f"may have more than {most_tokens:,} tokens"
    return None


def _offence_in_message(message: Mapping[str, Any]) -> str | None:
    if sorted(message) != _KEYS:
        return "message without role and content, or with more"
    if message["role"] not in _ROLES:
        return "unknown role"
    if not isinstance(message["content"], str) or not message["content"].strip():
        return "empty content"
    return None


def offence_in_file(
    name: str,
    rows: int,
    size: int,
    for_training: bool,  # noqa: FBT001 - as the table of formats calls it
) -> str | None:
    """Return which rule a file of so many examples and bytes breaks, ``None`` if none."""
    if not name.endswith(".jsonl"):
        return "OpenAI takes files whose name ends in .jsonl"
    if for_training and rows < FEWEST_EXAMPLES:
        return f"{rows} examples, and OpenAI trains on {FEWEST_EXAMPLES} or more"
    if size > MOST_BYTES:
        return f"{size:,} bytes, and OpenAI takes {MOST_BYTES:,}; export a smaller run"
    return None


def _worst_tokens(messages: list[dict[str, str]]) -> int:
    """Return more tokens than any tokenizer that knows all bytes makes of them."""
    return _FRAME + sum(len(message["content"].encode()) + _FRAME for message in messages)
