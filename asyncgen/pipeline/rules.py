"""The rules that an instruction must pass before it is compared with the pool.

Each rule is one small function from a text to what in it offends, or ``None``;
:data:`RULES` is the table, in the order in which they are asked. They are the
original's (``bootstrap_instructions.py``), with its defects mended: no
lower-casing of the text, and a cut answer loses only its last item.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.records import Reason

__all__ = ["BLACKLIST", "RULES", "first_offence", "repeats_itself"]

FEWEST_WORDS = 4
MOST_WORDS = 150

BLACKLIST = (
    "image",
    "images",
    "graph",
    "graphs",
    "picture",
    "pictures",
    "file",
    "files",
    "map",
    "maps",
    "draw",
    "plot",
    "go to",
)
"""Whole words that ask for what text alone cannot do; the original's list."""

_BLACKLIST = re.compile(rf"\b(?:{'|'.join(map(re.escape, BLACKLIST))})\b", re.IGNORECASE)
# As the templates write them: "… with one label: good or bad" is no leak.
_TEMPLATE = re.compile(
    r"(?:^|\s)(?:Task|Input|Output|Label|Classification|Instruction|Answer|Example \d+):"
)
_REPEATED_WORDS = 4
_REPEATED_SHARE = 0.3


def first_offence(text: str) -> tuple[Reason, str] | None:
    """Return the first broken rule's reason and what offends, or ``None``."""
    for reason, rule in RULES:
        offence = rule(text)
        if offence is not None:
            return reason, offence
    return None


def _empty(text: str) -> str | None:
    return None if text.strip() else ""


def _too_short(text: str) -> str | None:
    words = len(text.split())
    return f"{words} words" if words < FEWEST_WORDS else None


def _too_long(text: str) -> str | None:
    words = len(text.split())
    return f"{words} words" if words > MOST_WORDS else None


def _blacklisted(text: str) -> str | None:
    found = _BLACKLIST.search(text)
    return found[0] if found else None


def _asks_for_program(text: str) -> str | None:
    # Ambiguous to a model without an interpreter: a program, or its output?
    return "Write a program" if text.startswith("Write a program") else None


def _starts_with_punctuation(text: str) -> str | None:
    return text[0] if text[0] in string.punctuation else None


def _starts_with_non_ascii(text: str) -> str | None:
    return text[0] if not text[0].isascii() else None


def _leaked_template(text: str) -> str | None:
    found = _TEMPLATE.search(text)
    return found[0].strip() if found else None


def repeats_itself(text: str) -> str | None:
    """Return a run of four words that a degenerate text keeps repeating, or ``None``.

    A text is degenerate when repeats make up more than 30 % of its four-word runs.
    """
    words = text.lower().split()
    runs = Counter(zip(*(words[start:] for start in range(_REPEATED_WORDS)), strict=False))
    repeats = sum(times - 1 for times in runs.values())
    if repeats <= _REPEATED_SHARE * sum(runs.values()):
        return None
    return " ".join(runs.most_common(1)[0][0])


RULES: tuple[tuple[Reason, Callable[[str], str | None]], ...] = (
    ("empty", _empty),
    ("too_short", _too_short),
    ("too_long", _too_long),
    ("blacklisted", _blacklisted),
    ("asks_for_program", _asks_for_program),
    ("starts_with_punctuation", _starts_with_punctuation),
    ("starts_with_non_ascii", _starts_with_non_ascii),
    ("leaked_template", _leaked_template),
    ("repetitive", repeats_itself),
)
"""Reason and rule, in the order in which they are asked."""
