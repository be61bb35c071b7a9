"""What counts as a word: by blanks, or in any script by the tokens that the filter compares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncgen.settings import TokenizerName

__all__ = ["BY_BLANKS", "Words", "is_letter", "words_of"]

_LETTERS = 3
"""To a word, in scripts without blanks that write sounds, marks not counted: an assumption, between
Thai with about four and kana with about two."""

_RUN = 4


@dataclass(frozen=True, slots=True)
class Words:
    """How a text is measured in words.

    Attributes:
        count: How many it has.
        parts: What it is made of, in lower case, to be looked through for repeats.
        run: From those to how many in a row make about four words.
    """

    count: Callable[[str], int]
    parts: Callable[[str], Sequence[str]]
    run: Callable[[Sequence[str]], int]


BY_BLANKS = Words(
    count=lambda text: len(text.split()),
    parts=lambda text: text.lower().split(),
    run=lambda _parts: _RUN,
)
"""Words are what stands between blanks."""


def words_of(tokenizer: TokenizerName) -> Words:
    """Return how a run measures, given how it compares."""
    return _BY_TOKENS if tokenizer == "unicode" else BY_BLANKS


@lru_cache(maxsize=4)
def _tokens(text: str) -> tuple[str, ...]:
    """Cut a text; kept for a moment, for several rules ask in turn."""
    from asyncgen_kernels import tokenize

    return tuple(tokenize(text, "unicode"))


def _count(text: str) -> int:
    """Count tokens, ideographs one by one; of sounds written without blanks, three to a word."""
    tokens = _tokens(text)
    sounds = sum(_is_sound(token[0]) for token in tokens)
    return len(tokens) - sounds + math.ceil(sounds / _LETTERS)


def _run(tokens: Sequence[str]) -> int:
    """Letters repeat by chance where words do not: where they are the tokens, it takes more."""
    letters = sum(is_letter(token[0]) for token in tokens)
    return _RUN * _LETTERS if 2 * letters > len(tokens) else _RUN


@lru_cache(maxsize=8192)
def is_letter(character: str) -> bool:
    """Whether a character is a token by itself: a letter of a script without blanks."""
    from asyncgen_kernels.characters import ALONE, unicode_kinds

    return bool(unicode_kinds()[ord(character)] == ALONE)


@lru_cache(maxsize=8192)
def _is_sound(character: str) -> bool:
    ideograph = any(first <= character <= last for first, last in _IDEOGRAPHS)
    return is_letter(character) and not ideograph


_IDEOGRAPHS = (
    ("\u3005", "\u3007"),
    ("\u3400", "\ua4cf"),
    ("\uf900", "\ufaff"),
    ("\U00016fe0", "\U00018dff"),
    ("\U00020000", "\U0003ffff"),
)

_BY_TOKENS = Words(count=_count, parts=_tokens, run=_run)
