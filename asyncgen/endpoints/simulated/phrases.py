"""Filling slots: sentences put together from templates and word lists, by number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asyncgen.endpoints.simulated.words import SLOTS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Phrase", "filled", "phrases"]

Phrase = tuple[tuple[str, tuple[str, ...]], ...]
"""Pieces of fixed text, each with what may follow it; the last is followed by ``""``."""

_SLOT = re.compile(r"\{(\w+)\}")


def phrases(lines: str) -> tuple[Phrase, ...]:
    """Read templates, one a line, with slots such as ``{thing}``."""
    return tuple(_phrase(line.strip()) for line in lines.splitlines() if line.strip())


def filled(templates: Sequence[Phrase], bits: int) -> str:
    """Return one of the templates with its slots filled: all by 64 well-mixed bits.

    They are used up like a number in a mixed radix; no template has more than six slots, and
    no slot 200 words, so they last.
    """
    bits, which = divmod(bits, len(templates))
    parts: list[str] = []
    for fixed, words in templates[which]:
        bits, which = divmod(bits, len(words))
        parts += (fixed, words[which])
    text = "".join(parts)
    return text[0].upper() + text[1:]


def _phrase(template: str) -> Phrase:
    parts = _SLOT.split(template)
    slots = [SLOTS[name] for name in parts[1::2]]
    return tuple(map(_joint, parts[::2], [*slots, ("",)]))


def _joint(fixed: str, words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return a piece and what may follow it, with an article that suits each word."""
    if fixed != "a " and not fixed.endswith(" a "):
        return fixed, words
    return fixed[:-1], tuple(f"n {word}" if word[0] in "aeiou" else f" {word}" for word in words)
