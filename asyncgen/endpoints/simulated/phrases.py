"""Filling slots: sentences put together from templates and word lists, by number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asyncgen.endpoints.simulated.chance import mixed
from asyncgen.endpoints.simulated.words import SLOTS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Phrase", "filled", "phrases"]

Phrase = tuple[tuple[str, tuple[str, ...]], ...]
"""Pieces of fixed text, each with what may follow it; the last is followed by nothing."""

_SLOT = re.compile(r"\{(\w+)\}")


def phrases(lines: str) -> tuple[Phrase, ...]:
    """Read templates, one a line, with slots such as ``{thing}``."""
    return tuple(_phrase(line.strip()) for line in lines.splitlines() if line.strip())


def filled(templates: Sequence[Phrase], key: int) -> str:
    """Return one of the templates with its slots filled: all by the key."""
    text = ""
    for number, (fixed, words) in enumerate(templates[key % len(templates)]):
        text += fixed
        if words:
            word = words[mixed(key, number) % len(words)]
            if word[0] in "aeiou" and (text.endswith(" a ") or text == "a "):
                text = f"{text[:-1]}n "
            text += word
    return text[0].upper() + text[1:]


def _phrase(template: str) -> Phrase:
    parts = _SLOT.split(template)
    slots = [SLOTS[name] for name in parts[1::2]]
    return tuple(zip(parts[::2], [*slots, ()], strict=True))
