"""Text that a model got stuck in."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from asyncgen.pipeline.profiles.words import BY_BLANKS

if TYPE_CHECKING:
    from asyncgen.pipeline.profiles.words import Words

__all__ = ["repeats_itself"]

_SHARE = 0.3
_TIMES = 20
_LOOP = re.compile(rf"(.{{1,12}}?)\1{{{_TIMES - 1},}}", re.DOTALL)


def repeats_itself(text: str, words_of: Words = BY_BLANKS) -> str | None:
    """Return what a degenerate text keeps repeating, or ``None``.

    A text is degenerate when repeats make up more than 30 % of its runs of four words, or when
    it has the same few letters twenty times in a row. Of 1,351 inputs and outputs that people
    wrote, one is (a joke in the form of a dialogue); of the answers that GPT-3 gave to the 252
    tasks of the paper's evaluation before it was tuned, 246 are.
    """
    words = words_of.parts(text)
    length = words_of.run(words)
    runs = Counter(zip(*(words[start:] for start in range(length)), strict=False))
    repeats = sum(times - 1 for times in runs.values())
    if repeats > _SHARE * sum(runs.values()):
        return " ".join(runs.most_common(1)[0][0])
    return _looped(text)


def _looped(text: str) -> str | None:
    """Return letters that come again and again; lines and blanks to fill in are layout."""
    # Each of them does, wherever: most texts, being short, need not be searched.
    if all(text.count(letter) < _TIMES for letter in set(text) if letter.isalpha()):
        return None
    for found in _LOOP.finditer(text):
        if any(letter.isalpha() for letter in found[1]):
            return found[1].strip()
    return None
