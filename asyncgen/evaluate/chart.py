"""Scores as a figure: a point and its interval for each group and model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.report.figures.figure import Figure, Table
from asyncgen.report.figures.svg import SERIES, add, drawing, text, tip, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from asyncgen.evaluate.scores import Group, Scores

__all__ = ["figure"]

_WIDTH, _LEFT, _RIGHT = 560, 216, 120
_LINE, _GAP, _TOP = 15, 9, 14
_LONGEST = 30


def figure(models: Sequence[Scores]) -> Figure:
    """Draw every group of models that answered the same questions."""
    return Figure(
        name="scores",
        title="Scores with bootstrap intervals",
        note="Points of 100: ROUGE-L, or exact match where the row says so.",
        picture=_picture(models),
        table=_table(models),
    )


def _picture(models: Sequence[Scores]) -> Element:
    groups = models[0].groups
    key = 20 * len(models) if len(models) > 1 else 0
    top = _TOP + key
    bottom = top + len(groups) * (_LINE * len(models) + _GAP)
    picture = drawing(_WIDTH, bottom + 34, "Scores of models, with intervals")
    for number, one in enumerate(models if len(models) > 1 else ()):
        height = _TOP + 20 * number
        _mark(picture, (4, 24, 14), height - 4, number)
        text(picture, 30, height, _short(one.model, 70))
    for points in range(0, 101, 20):
        across = _x(points / 100)
        add(picture, "line", "grid", x1=across, x2=across, y1=top, y2=bottom)
        text(picture, across, bottom + 16, f"{points}", "muted", text_anchor="middle")
    for place, group in enumerate(groups):
        y = top + place * (_LINE * len(models) + _GAP) + _GAP
        middle = y + _LINE * len(models) / 2 + 4
        name = text(picture, _LEFT - 10, middle, _label(group), text_anchor="end")
        tip(name, group.name or "all answers")
        for number, one in enumerate(models):
            _score(picture, one.groups[place], y + _LINE * (number + 0.5), number)
    return picture


def _score(picture: Element, group: Group, y: float, number: int) -> None:
    _mark(picture, (_x(group.interval.low), _x(group.interval.high), _x(group.value)), y, number)
    text(picture, _WIDTH - _RIGHT + 14, y + 4, f"{100 * group.value:.1f}", "muted")


def _mark(picture: Element, span: tuple[float, float, float], y: float, number: int) -> None:
    low, high, middle = span
    tone = number % SERIES
    add(picture, "line", f"l{tone}", x1=low, x2=high, y1=y, y2=y, stroke_width=2)
    add(picture, "circle", f"f{tone}", cx=middle, cy=y, r=4)


def _x(value: float) -> float:
    return _LEFT + value * (_WIDTH - _LEFT - _RIGHT)


def _label(group: Group) -> str:
    name = group.name or "all"
    metric = " (exact)" if group.metric == "exact_match" else ""
    return _short(name, _LONGEST - len(metric)) + metric


def _short(name: str, longest: int) -> str:
    fits = len(name) <= longest and width_of(name) < _WIDTH
    return name if fits else name[: longest - 1] + "…"


def _table(models: Sequence[Scores]) -> Table:
    return Table(
        ("model", "kind", "name", "answers", "metric", "value", "low", "high"),
        tuple(
            (
                one.model,
                group.kind,
                group.name,
                group.rows,
                group.metric,
                group.value,
                group.interval.low,
                group.interval.high,
            )
            for one in models
            for group in one.groups
        ),
    )
