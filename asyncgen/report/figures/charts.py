"""Histograms, lines and bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.report.figures.axes import WIDTH, Axis, Frame, frame, key, key_rows, shown
from asyncgen.report.figures.svg import SERIES, SMALL_SCREEN, add, drawing, text, tip, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

__all__ = ["Bar", "Line", "Rule", "bars", "histogram", "lines"]

_BAR = 16
_LABEL = 196
_LABEL_CHARACTERS = 26


class Line(Struct, frozen=True, kw_only=True):
    """Points that belong together; a ``None`` parts them.

    Attributes:
        tone: Number of its colour.
        stepped: Whether each value holds until the next point.
    """

    name: str
    points: tuple[tuple[float, float | None], ...]
    tone: int
    dashed: bool = False


class Rule(Struct, frozen=True, kw_only=True):
    """A limit: a line across the picture at a height, or upright at a place."""

    words: str
    y: float | None = None
    x: float | None = None
    tone: int | None = None


class Bar(Struct, frozen=True):
    """One bar: its name, its length and what is written behind it."""

    name: str
    value: float
    words: str
    tone: int
    faint: bool = False


def histogram(
    label: str,
    edges: Sequence[float],
    groups: Sequence[tuple[str, Sequence[float]]],
    *,
    x: Axis,
    y: Axis,
    rules: Sequence[Rule] = (),
) -> Element:
    """Draw one group as bars, several as outlines over each other."""
    alone = len(groups) == 1
    keys = [] if alone else [(f"l{_tone(n)}", name) for n, (name, _) in enumerate(groups)]
    made = frame(label, x, y, keys=keys)
    for number, (name, heights) in enumerate(groups):
        for left, right, height in zip(edges[:-1], edges[1:], heights, strict=True):
            if height > 0:
                _column(made, (left, right), height, _tone(number), name if not alone else "")
        if not alone:
            _outline(made, edges, heights, _tone(number))
    _rules(made, rules)
    return made.picture


def lines(
    label: str, series: Sequence[Line], *, x: Axis, y: Axis, rules: Sequence[Rule] = ()
) -> Element:
    """Draw lines, each with a tip at every point."""
    keys = [(f"l{one.tone}{' dashed' if one.dashed else ''}", one.name) for one in series]
    made = frame(label, x, y, keys=keys if len(keys) > 1 else ())
    for one in series:
        path = _path(
            [(made.x(at), None if value is None else made.y(value)) for at, value in one.points]
        )
        dashes = {"stroke_dasharray": "5 3"} if one.dashed else {}
        add(
            made.picture,
            "path",
            f"l{one.tone}",
            d=path,
            fill="none",
            stroke_width=1.8,
            stroke_linejoin="round",
            stroke_linecap="round",
            **dashes,
        )
    _rules(made, rules)
    for one in series:
        for at, value in one.points:
            if value is not None:
                _dot(made, one, at, value)
    return made.picture


def bars(label: str, rows: Sequence[Bar], *, keys: Sequence[str] = ()) -> Element:
    """Draw horizontal bars below each other, names on their left and values behind them."""
    longest = max((row.value for row in rows), default=0) or 1
    behind = max((width_of(row.words, SMALL_SCREEN) for row in rows), default=0) + 14
    room = WIDTH - _LABEL - behind
    samples = key_rows([(f"l{_tone(n)}", name) for n, name in enumerate(keys)])
    top = 6 + 20 * len(samples)
    height = top + sum(_BAR + (7 if row.name else 2) for row in rows) + 4
    picture = drawing(WIDTH, height, label)
    key(picture, samples)
    y = float(top)
    for row in rows:
        y += 5 if row.name else 0
        length = max(room * row.value / longest, 1 if row.value else 0)
        name = text(picture, _LABEL - 8, y + 12.5, _short(row.name), text_anchor="end")
        tip(name, row.name)
        bar = add(
            picture,
            "rect",
            f"f{row.tone}",
            x=_LABEL,
            y=y,
            width=length,
            height=_BAR,
            rx=2,
            **({"opacity": 0.55} if row.faint else {}),
        )
        tip(bar, f"{row.name}: {row.words}" if row.name else row.words)
        text(picture, _LABEL + length + 6, y + 12.5, row.words, "muted")
        y += _BAR + 2
    return picture


def _tone(number: int) -> int:
    return number % SERIES


def _column(made: Frame, span: tuple[float, float], height: float, tone: int, name: str) -> None:
    left, right = made.x(span[0]), made.x(span[1])
    top = made.y(height)
    bar = add(
        made.picture,
        "rect",
        f"f{tone}",
        x=left + 0.5,
        y=top,
        width=max(right - left - 1, 0.5),
        height=made.bottom - top,
        **({"opacity": 0.18} if name else {}),
    )
    low, high = (shown(value, made.x_axis.form) for value in span)
    tip(bar, f"{name + ': ' if name else ''}{low} to {high}: {shown(height, made.y_axis.form)}")


def _outline(made: Frame, edges: Sequence[float], heights: Sequence[float], tone: int) -> None:
    steps: list[tuple[float, float | None]] = [(made.x(edges[0]), made.bottom)]
    for left, right, height in zip(edges[:-1], edges[1:], heights, strict=True):
        steps += [(made.x(left), made.y(height)), (made.x(right), made.y(height))]
    steps.append((made.x(edges[-1]), made.bottom))
    add(made.picture, "path", f"l{tone}", d=_path(steps), fill="none", stroke_width=1.8)


def _path(points: Sequence[tuple[float, float | None]]) -> str:
    parts: list[str] = []
    pen = "M"
    for x, y in points:
        if y is None:
            pen = "M"
            continue
        parts.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return "".join(parts)


def _dot(made: Frame, line: Line, at: float, value: float) -> None:
    """Mark a point: seen only when it is alone, felt when it is pointed at."""
    alone = sum(1 for _, one in line.points if one is not None) == 1
    dot = add(
        made.picture,
        "circle",
        f"f{line.tone} point",
        cx=made.x(at),
        cy=made.y(value),
        r=4,
        opacity=1.0 if alone else 0.0,
    )
    place = f"{shown(at, made.x_axis.form)} {made.x_axis.label}"
    tip(dot, f"{line.name}: {shown(value, made.y_axis.form)} at {place}")


def _rules(made: Frame, rules: Sequence[Rule]) -> None:
    for rule in rules:
        kind = "rule" if rule.tone is None else f"l{rule.tone}"
        if rule.y is not None and rule.y <= made.y_axis.end:
            y = made.y(rule.y)
            ends = {"x1": made.x(made.x_axis.low), "x2": made.x(made.x_axis.end), "y1": y, "y2": y}
            place, anchor = (ends["x2"], y - 5), "end"
        elif rule.x is not None and made.x_axis.low <= rule.x <= made.x_axis.end:
            x = made.x(rule.x)
            ends = {"x1": x, "x2": x, "y1": made.top, "y2": made.bottom}
            left = x > 0.75 * WIDTH
            place, anchor = (x - 5 if left else x + 5, made.top + 10), "end" if left else "start"
        else:
            continue
        line = add(made.picture, "line", kind, stroke_width=1.2, stroke_dasharray="3 3", **ends)
        tip(line, rule.words)
        if rule.words:
            text(made.picture, *place, rule.words, "muted", text_anchor=anchor, font_size=11)


def _short(name: str) -> str:
    return name if len(name) <= _LABEL_CHARACTERS else name[: _LABEL_CHARACTERS - 1] + "…"
