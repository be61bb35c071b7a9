"""Conversations of one turn: messages of a role and a content, or of ``from`` and ``value``.

Sources: TRL's dataset formats (conversational language modelling, and prompt
and completion), Axolotl's ``chat_template`` type, FastChat's ShareGPT files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncgen.dataset.examples import Example

__all__ = ["chat", "chat_completion", "sharegpt"]

_SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt"}


def chat(example: Example, system: str) -> dict[str, object]:
    """Return ``messages``: what is said by the system if anything, the user and the assistant."""
    return {"messages": [*_prompt(example, system), _message("assistant", example.output)]}


def chat_completion(example: Example, system: str) -> dict[str, object]:
    """Return ``prompt`` and ``completion``, each a list of messages: loss on the answer only."""
    return {
        "prompt": _prompt(example, system),
        "completion": [_message("assistant", example.output)],
    }


def sharegpt(example: Example, system: str) -> dict[str, object]:
    """Return ``conversations`` of ``from`` (system, human, gpt) and ``value``."""
    said = [*_prompt(example, system), _message("assistant", example.output)]
    return {
        "conversations": [
            {"from": _SHAREGPT[message["role"]], "value": message["content"]} for message in said
        ]
    }


def _prompt(example: Example, system: str) -> list[dict[str, str]]:
    opening = [_message("system", system)] if system else []
    return [*opening, _message("user", example.question)]


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
