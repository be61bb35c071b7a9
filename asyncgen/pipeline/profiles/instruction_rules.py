"""Rules that an instruction must pass before it is compared with the pool.

Each is one small function from a text to what in it offends, or ``None``. The
tables that say which are asked, and in which order, are the profiles'.
"""

from __future__ import annotations

import re
import string
import unicodedata
from typing import TYPE_CHECKING

from asyncgen.pipeline.profiles.words import BY_BLANKS

if TYPE_CHECKING:
    from asyncgen.pipeline.profiles.words import Words

__all__ = [
    "asks_for_program",
    "begins_write_a_program",
    "empty",
    "leaked_template",
    "mixed_in_task",
    "starts_with_mark",
    "starts_with_non_ascii",
    "starts_with_punctuation",
    "too_long",
    "too_short",
]

_FEWEST_WORDS = 4
_MOST_WORDS = 150
_MOST_SHOWN = 40
_PROGRAM = re.compile(r"write a program\b", re.IGNORECASE)


def empty(text: str) -> str | None:
    """There is nothing in it."""
    return None if text.strip() else ""


def too_short(text: str, words_of: Words = BY_BLANKS) -> str | None:
    """Three words hardly make a task: most are fragments of one."""
    words = words_of.count(text)
    return f"{words} words" if words < _FEWEST_WORDS else None


def too_long(text: str, words_of: Words = BY_BLANKS) -> str | None:
    """More than 150 words are mostly a model that did not stop."""
    words = words_of.count(text)
    return f"{words} words" if words > _MOST_WORDS else None


def begins_write_a_program(text: str) -> str | None:
    """It is ambiguous to a model without an interpreter: the program, or what it prints?

    By the letters alone, so that a programme for a concert is one, too.
    """
    return "Write a program" if text.startswith("Write a program") else None


def asks_for_program(text: str) -> str | None:
    """It is ambiguous to a model without an interpreter: the program, or what it prints?"""
    found = _PROGRAM.match(text)
    return found[0] if found else None


def starts_with_punctuation(text: str) -> str | None:
    """What begins with a mark is a fragment, or the layout of something else."""
    return text[0] if text[0] in string.punctuation else None


_OPENING = frozenset("¿¡«‹„‚“‘「『《〈")


def starts_with_mark(text: str) -> str | None:
    """The same in any script: no letter and no digit, nor what opens a sentence, quote or title.

    ASCII quotes are not among those: they begin fragments more often than sentences.
    """
    if text[0] in _OPENING:
        return None
    major = unicodedata.category(unicodedata.normalize("NFKC", text)[0])[0]
    return text[0] if major not in "LN" else None


def starts_with_non_ascii(text: str) -> str | None:
    """The seeds are English; the original takes the first character for the language."""
    return text[0] if not text[0].isascii() else None


# As the templates write them: "… with one label: good or bad" is no leak.
_FIELD = re.compile(
    r"(?:^|\s)(?:Task|Input|Output|Label|Class label|Classification|Instruction|Answer"
    r"|Example \d+)[:：]"
)
_MARKUP = re.compile(
    r"<\|[\w-]{1,20}\|>|</?s>|\[/?INST\]|<</?SYS>>|<noinput>|^#{2,3} (?:Instruction|Input|Response)"
    r"|\bIs it classification\?|\bContinue with tasks \d",
    re.MULTILINE,
)


def leaked_template(text: str) -> str | None:
    """The model wrote on in the form of a prompt, or of its own chat template."""
    found = _FIELD.search(text) or _MARKUP.search(text)
    return found[0].strip() if found else None


# Full stops of Chinese and Japanese need no blank behind them.
_INLINE_NUMBER = re.compile(r"(?:(?<!\S)|(?<=[。！？：；，]))(\d{1,3})(?:[.)](?=\s)|[．、）])")
_SENTENCE_ENDS = re.compile(r"(?:[.?!।][\"')]?[^\S\n]+|[。！？][”’」』]?[^\S\n]*)\Z")


def mixed_in_task(text: str) -> str | None:
    """The next item of the list stands behind a sentence of this one: two tasks in one.

    Numbers that count on from 1 are a list inside the task.
    """
    expected = {1}
    for found in _INLINE_NUMBER.finditer(text):
        number = int(found[1])
        follows = _SENTENCE_ENDS.search(text, 0, found.start()) is not None
        if number not in expected and follows and _may_begin(text[found.end() :].lstrip()[:1]):
            return text[found.start() : found.start() + _MOST_SHOWN]
        expected.add(number + 1)
    return None


def _may_begin(letter: str) -> bool:
    """Whether a sentence begins so; most scripts have one case only."""
    return letter.isalpha() and not letter.islower()
