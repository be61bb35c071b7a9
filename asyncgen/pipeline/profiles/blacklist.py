"""Words of instructions that ask for what text alone cannot do: lists, and how they are matched."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from asyncgen.errors import SettingsError
from asyncgen.pipeline.profiles.words import is_letter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["HARMLESS", "MENDED", "ORIGINAL", "blacklist"]

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
    *(term for term in ORIGINAL if term not in {"go to", "plot"}),
    "audio",
    "bar plot",
    "box plot",
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
    "line plot",
    "photo",
    "photograph",
    "photographs",
    "photos",
    "plot a",
    "plot data",
    "plot the",
    "plot these",
    "plot this",
    "plot your",
    "scatter plot",
    "video",
    "videos",
)
"""Ours: with the other media; people go to places in many texts, and most plots are of stories."""

HARMLESS = (
    "draw a comparison",
    "draw a conclusion",
    "draw a distinction",
    "draw a parallel",
    "draw attention",
    "draw conclusions",
    "draw inspiration",
    "draw on your",
    "draw parallels",
    "file a claim",
    "file a complaint",
    "file a lawsuit",
    "file for",
    "on file",
    "rank and file",
    "video game",
    "video games",
)
"""Phrases in which a term of :data:`MENDED` asks for nothing but text."""


def blacklist(
    terms: Sequence[str],
    *,
    harmless: Sequence[str] = (),
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
) -> Callable[[str], str | None]:
    """Return the rule that finds whole words and phrases, in any case.

    Args:
        terms: A profile's list; a blank in a term stands for any white space.
        harmless: Phrases that are passed over with the terms in them.
        add: What is found besides, in those phrases too.
        remove: Which of the terms are not looked for.

    Raises:
        SettingsError: If what is to be removed is not in the list, or a term is blank.
    """
    added = _finder([_term(term, "blacklist_add") for term in add], ())
    listed = _finder(_without(terms, remove), harmless)

    def blacklisted(text: str) -> str | None:
        """It asks for what text alone cannot do."""
        return added(text) or listed(text)

    return blacklisted


def _without(terms: Sequence[str], remove: Sequence[str]) -> list[str]:
    known = {term.lower() for term in terms}
    gone = {_term(term, "blacklist_remove").lower() for term in remove}
    for term in sorted(gone - known):
        near = difflib.get_close_matches(term, known, n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        raise SettingsError(f"blacklist_remove: '{term}' is not in the profile's blacklist{hint}")
    return [term for term in terms if term.lower() not in gone]


def _finder(terms: Sequence[str], harmless: Sequence[str]) -> Callable[[str], str | None]:
    if not terms:
        return lambda _text: None
    within = [term for term in terms if not term.isascii() and _is_within(term)]
    words = [term for term in terms if term not in within]
    # What begins first wins, of what begins together the harmless.
    passed = f"{_alternatives(harmless)}|" if harmless else ""
    found_as_words = rf"(?<!\w)(?:{passed}(?P<banned>{_alternatives(words)}))(?!\w)"
    parts = [found_as_words] if words else []
    parts += [rf"(?P<within>{_alternatives(within)})"] if within else []
    pattern = re.compile("|".join(parts), re.IGNORECASE)
    return lambda text: next(
        (found[0] for found in pattern.finditer(text) if found.lastgroup), None
    )


def _is_within(term: str) -> bool:
    """Whether it may stand anywhere: no blanks tell where a word of its script ends."""
    return is_letter(term[0]) or is_letter(term[-1])


def _term(text: str, setting: str) -> str:
    if not text.strip():
        raise SettingsError(f"{setting}: a term is blank, and would be found in every text")
    return " ".join(text.split())


def _alternatives(terms: Sequence[str]) -> str:
    words = (map(re.escape, term.split()) for term in terms)
    return "|".join(r"\s+".join(term) for term in words)
