"""Bars that are divided into parts, below each other: shares of ordered levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.report.figures.axes import WIDTH
from asyncgen.report.figures.svg import SMALL_SCREEN, add, drawing, text, tip, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

__all__ = ["Part", "Stack", "stacked"]

_BAR, _STEP = 24, 34
_TOP = 26
_NAME_LINE = 18


class Part(Struct, frozen=True):
    """A level: its name and its colour."""

    name: str
    tone: int


class Stack(Struct, frozen=True):
    """One bar.

    Attributes:
        counts: Of each part, in the order of the parts.
        words: What is written behind it.
    """

    name: str
    counts: tuple[int, ...]
    words: str


def stacked(label: str, parts: Sequence[Part], rows: Sequence[Stack]) -> Element:
    """Draw a bar for each row, all as long; a part is as long as its share.

    Args:
        label: What the picture is, for those who cannot see it.
        parts: The levels, from left to right.
        rows: From top to bottom; names stand over the bars, so that they may be long.
    """
    height = _TOP + sum(_STEP + _NAME_LINE for _ in rows) + 4
    picture = drawing(WIDTH, height, label)
    _key(picture, parts)
    for number, row in enumerate(rows):
        y = _TOP + number * (_STEP + _NAME_LINE)
        name = text(picture, 2, y + 13, _short(row), font_weight="600")
        tip(name, row.name)
        text(picture, WIDTH - 2, y + 13, row.words, "muted", text_anchor="end")
        _bar(picture, parts, row, float(y + _NAME_LINE))
    return picture


def _bar(picture: Element, parts: Sequence[Part], row: Stack, y: float) -> None:
    total = sum(row.counts) or 1
    x = 0.0
    for part, count in zip(parts, row.counts, strict=True):
        length = WIDTH * count / total
        if not count:
            continue
        box = add(picture, "rect", f"f{part.tone} gap", x=x, y=y, width=length, height=_BAR)
        tip(box, f"{row.name}: {part.name}: {count:,} of {total:,} ({count / total:.0%})")
        if length > width_of(f"{count:,}", SMALL_SCREEN) + 6:
            middle = x + length / 2
            text(picture, middle, y + 16.5, f"{count:,}", "onring", text_anchor="middle")
        x += length


def _key(picture: Element, parts: Sequence[Part]) -> None:
    x = 2.0
    for part in parts:
        add(picture, "rect", f"f{part.tone}", x=x, y=3, width=12, height=12, rx=2)
        text(picture, x + 18, 13.5, part.name)
        x += 26 + width_of(part.name, SMALL_SCREEN)


def _short(row: Stack) -> str:
    room = WIDTH - width_of(row.words, SMALL_SCREEN) - 12
    most = int(room / (SMALL_SCREEN * 0.56))
    return row.name if len(row.name) <= most else row.name[: most - 1] + "…"
