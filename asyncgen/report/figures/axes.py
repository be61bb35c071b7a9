"""Where values stand in a picture, and the axes that say so."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from asyncgen.report.figures.svg import SMALL_SCREEN, add, drawing, text, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

__all__ = ["Axis", "Frame", "frame", "key", "shown"]

Form = Literal["number", "percent", "share"]

WIDTH = 480
_LEFT, _RIGHT, _BOTTOM = 54, 16, 44
_TOP, _KEY = 36, 20


class Axis(Struct, frozen=True, kw_only=True):
    """One axis, from 0 or from ``low``.

    Attributes:
        high: The highest value that must fit on it.
        form: ``percent`` shows 0.5 as 50 %, ``share`` as 0.5.
        fixed: Whether it ends at ``high``, and not at the next round number.
        whole: Whether only whole numbers are marked, as suits counts.
    """

    label: str
    high: float
    low: float = 0.0
    form: Form = "number"
    fixed: bool = False
    whole: bool = False

    @property
    def step(self) -> float:
        """The distance between two marks: 1, 2, 2.5 or 5 times a power of ten."""
        rough = max(self.high - self.low, 1e-9) / 4.5
        power = float(10.0 ** math.floor(math.log10(rough)))
        step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= rough)
        return max(math.ceil(step), 1) if self.whole else step

    @property
    def end(self) -> float:
        """The value at its far end."""
        high = max(self.high, self.low + 1e-9)
        return (
            high if self.fixed else self.low + math.ceil((high - self.low) / self.step) * self.step
        )

    def marks(self) -> list[float]:
        """Return the values that are written beside it."""
        count = math.floor((self.end - self.low) / self.step + 1e-6)
        return [round(self.low + place * self.step, 10) for place in range(count + 1)]


class Frame(Struct, frozen=True):
    """A picture with two axes, and where values stand in it."""

    picture: Element
    x_axis: Axis
    y_axis: Axis
    top: float
    bottom: float

    def x(self, value: float) -> float:
        """Return where a value stands across."""
        part = (value - self.x_axis.low) / (self.x_axis.end - self.x_axis.low)
        return _LEFT + part * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Return where a value stands in height."""
        part = (value - self.y_axis.low) / (self.y_axis.end - self.y_axis.low)
        return self.bottom - part * (self.bottom - self.top)


def frame(label: str, x: Axis, y: Axis, *, keys: Sequence[tuple[str, str]] = ()) -> Frame:
    """Draw axes, and a key over them.

    Args:
        label: What the picture is, for those who cannot see it.
        x: The axis across.
        y: The axis upwards.
        keys: The class of each series' sample and its name; nothing for a single one.
    """
    rows = key_rows(keys)
    top = _TOP + _KEY * len(rows)
    bottom = top + 190
    picture = drawing(WIDTH, bottom + _BOTTOM, label)
    made = Frame(picture, x, y, top, bottom)
    for value in y.marks():
        height = made.y(value)
        add(picture, "line", "grid", x1=_LEFT, x2=WIDTH - _RIGHT, y1=height, y2=height)
        text(picture, _LEFT - 6, height + 4, shown(value, y.form), "muted", text_anchor="end")
    for value in x.marks():
        across = made.x(value)
        add(picture, "line", "axis", x1=across, x2=across, y1=bottom, y2=bottom + 4)
        text(picture, across, bottom + 17, shown(value, x.form), "muted", text_anchor="middle")
    add(picture, "line", "axis", x1=_LEFT, x2=WIDTH - _RIGHT, y1=bottom, y2=bottom)
    text(picture, 2, top - 18, y.label, "muted")
    text(picture, WIDTH - _RIGHT, bottom + 38, x.label, "muted", text_anchor="end")
    key(picture, rows)
    return made


def key_rows(keys: Sequence[tuple[str, str]]) -> list[list[tuple[float, str, str]]]:
    """Break a key into rows that fit: place, class and name of each sample."""
    rows: list[list[tuple[float, str, str]]] = []
    across = math.inf
    for kind, name in keys:
        needed = width_of(name, SMALL_SCREEN) + 36
        if across + needed > WIDTH:
            rows.append([])
            across = 2
        rows[-1].append((across, kind, name))
        across += needed
    return rows


def key(picture: Element, rows: Sequence[Sequence[tuple[float, str, str]]]) -> None:
    """Draw a key at the top."""
    for number, row in enumerate(rows):
        height = 11 + number * _KEY
        for across, kind, name in row:
            dashed = {"stroke_dasharray": "5 3"} if "dashed" in kind else {}
            add(
                picture,
                "line",
                kind,
                x1=across,
                x2=across + 18,
                y1=height - 4,
                y2=height - 4,
                stroke_width=3,
                **dashed,
            )
            text(picture, across + 23, height, name)


def shown(value: float, form: Form = "number") -> str:
    """Write a value in a few characters."""
    if form == "percent":
        return f"{100 * value:.3g}%"
    if form == "share":
        return f"{value:.3g}"
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / (1000 if unit == 'k' else limit):.4g}{unit}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.3g}"
