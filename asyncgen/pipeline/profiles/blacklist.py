"""Words of instructions that ask for what text alone cannot do: lists, and how they are matched."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from asyncgen.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["HARMLESS", "MENDED", "ORIGINAL", "blacklisted", "edited"]

ORIGINAL = (
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
"""The original's list."""

MENDED = (
    *(term for term in ORIGINAL if term != "go to"),
    "audio",
    "diagram",
    "diagrams",
    "flowchart",
    "flowcharts",
    "go to the link",
    "go to the page",
    "go to the website",
    "go to this link",
    "go to this page",
    "go to this website",
    "photo",
    "photograph",
    "photographs",
    "photos",
    "video",
    "videos",
)
"""Ours: with the other media, and without "go to", which people do in many texts."""

HARMLESS = (
    "book plot",
    "draw a conclusion",
    "draw a distinction",
    "draw a parallel",
    "draw attention",
    "draw conclusions",
    "draw inspiration",
    "draw parallels",
    "file a claim",
    "file a complaint",
    "file a lawsuit",
    "file for",
    "movie plot",
    "plot holes",
    "plot of",
    "plot points",
    "plot summary",
    "plot twist",
    "plot twists",
    "rank and file",
    "story plot",
    "the plot",
    "video game",
    "video games",
)
"""Phrases in which a word of :data:`MENDED` asks for nothing but text."""


def edited(
    terms: tuple[str, ...], *, add: Iterable[str], remove: Iterable[str]
) -> tuple[str, ...]:
    """Return a list without some of its terms and with others.

    Raises:
        SettingsError: If what is to be removed is not in it, or a term is blank.
    """
    known = {term.lower() for term in terms}
    gone = {_term(term, "blacklist_remove").lower() for term in remove}
    for term in sorted(gone - known):
        near = difflib.get_close_matches(term, known, n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        raise SettingsError(f"blacklist_remove: '{term}' is not in the profile's blacklist{hint}")
    more = [_term(term, "blacklist_add") for term in add]
    return (*(term for term in terms if term.lower() not in gone), *more)


def blacklisted(
    terms: Iterable[str], *, harmless: Iterable[str] = ()
) -> Callable[[str], str | None]:
    """Return the rule that finds whole words and phrases, in any case.

    Args:
        terms: What to find; a blank in it stands for any white space.
        harmless: Phrases that are passed over with the terms in them.
    """
    banned, passed = _alternatives(terms), _alternatives(harmless)
    if not banned:
        return lambda _text: None
    # The one that begins first wins, a harmless one before a banned one.
    first = f"{passed}|" if passed else ""
    pattern = re.compile(rf"(?<!\w)(?:{first}(?P<banned>{banned}))(?!\w)", re.IGNORECASE)

    def rule(text: str) -> str | None:
        """It asks for what text alone cannot do."""
        return next((found[0] for found in pattern.finditer(text) if found["banned"]), None)

    return rule


def _term(text: str, setting: str) -> str:
    if not text.strip():
        raise SettingsError(f"{setting}: a term is blank, and would be found in every text")
    return " ".join(text.split())


def _alternatives(terms: Iterable[str]) -> str:
    words = (map(re.escape, term.split()) for term in terms)
    return "|".join(r"\s+".join(term) for term in words)
