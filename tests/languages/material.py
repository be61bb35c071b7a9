"""Seeds of our own in other languages, near-duplicates of them, and ROUGE-L from its definition."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from similarity.reference import f_of, lcs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CODES", "near_duplicates", "score_of", "seeds_in", "tokens_of"]

CODES = ("zh", "de", "hi", "th")

_ALONE = ("CJK UNIFIED", "THAI CHARACTER")
_SPARE = {"zh": "龘", "de": "Quux", "hi": "क्षत्रज्ञ", "th": "ฬ"}
"""What none of the seeds holds."""


def seeds_in(code: str) -> list[str]:
    """Return the seed instructions in a language."""
    return (Path(__file__).parent / f"{code}.txt").read_text("utf-8").splitlines()


def near_duplicates(code: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield what was done to a text and what came of it."""
    units = _units(code, text)
    gap = "" if code in {"zh", "th"} else " "
    for place in range(len(units)):
        yield "one replaced", gap.join([*units[:place], _SPARE[code], *units[place + 1 :]])
        yield "one left out", gap.join(units[:place] + units[place + 1 :])
        yield "one added", gap.join([*units[:place], _SPARE[code], *units[place:]])
    yield "two changed places", gap.join([units[1], units[0], *units[2:]])
    marks = [one for one in text if unicodedata.category(one)[0] == "P"]
    bare = "".join(" " if one in marks else one for one in text)
    yield "marks moved", f"{''.join(marks)}{bare}"
    yield "marks doubled", "".join(one * (1 + (one in marks)) for one in text)
    yield (
        "full width",
        "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text),
    )
    yield "half width", unicodedata.normalize("NFKC", text)
    yield "decomposed", unicodedata.normalize("NFD", text)
    yield "capitals", text.upper()


def _units(code: str, text: str) -> list[str]:
    """Cut into words, or where there are no blanks into letters with their marks."""
    if code not in {"zh", "th"}:
        return text.split()
    units: list[str] = []
    for one in text:
        if units and unicodedata.category(one)[0] == "M":
            units[-1] += one
        else:
            units.append(one)
    return units


def tokens_of(text: str) -> list[str]:
    """Cut as ``unicode`` does, by the names of characters: one at a time, plainly."""
    tokens, grows = [""], True
    for one in unicodedata.normalize("NFKC", text).lower():
        category = unicodedata.category(one)
        if category[0] == "M":
            tokens[-1] += one if tokens[-1] else ""
        elif category[0] not in "LN":
            tokens.append("")
            grows = True
        else:
            alone = category != "Nd" and unicodedata.name(one).startswith(_ALONE)
            if alone or not grows:
                tokens.append("")
            tokens[-1] += one
            grows = not alone
    return [token for token in tokens if token]


def score_of(one: str, other: str) -> float:
    """Return the F of two texts."""
    left, right = tokens_of(one), tokens_of(other)
    return f_of(lcs_of(left, right), len(left), len(right))
