"""Characters as tokens, by script, as long as no endpoint has counted them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncgen.records import Prompt

__all__ = ["CHARACTERS_PER_TOKEN", "prompt_tokens", "tokens_in"]

CHARACTERS_PER_TOKEN = {"latin": 4.0, "ideographs": 1.0, "other": 2.0}
"""The providers' rule of thumb for English, and cautious ones for what their tokenizers know less
well. Tokenizers differ by a third and more: what an endpoint reports goes before this."""

_LATIN_ENDS = 0x250
_IDEOGRAPHS = ((0x2E80, 0xA4D0), (0xAC00, 0xD7B0), (0xF900, 0xFB00), (0x20000, 0x40000))
"""Ideographs, kana and hangul: code points from, and up to."""

_FRAME = 4
"""Tokens that begin and end a message of a conversation."""


def tokens_in(text: str) -> float:
    """Return how many tokens a text is reckoned as."""
    if text.isascii():
        return len(text) / CHARACTERS_PER_TOKEN["latin"]
    return sum(1 / CHARACTERS_PER_TOKEN[_script(ord(character))] for character in text)


def prompt_tokens(prompt: Prompt) -> tuple[float, float]:
    """Return the reckoned tokens of a prompt: of all of it, and of its fixed beginning."""
    shown = [part for turn in prompt.turns for part in turn]
    fixed = tokens_in(prompt.fixed) + sum(map(tokens_in, shown))
    variable = tokens_in(prompt.variable)
    if prompt.api != "completions":
        fixed += _FRAME * (1 + len(shown))
        variable += _FRAME
    return fixed + variable, fixed


def _script(point: int) -> str:
    if point < _LATIN_ENDS:
        return "latin"
    return "ideographs" if any(low <= point < high for low, high in _IDEOGRAPHS) else "other"
