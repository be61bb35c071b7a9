"""Verbs in a ring, and their objects in a ring around it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from asyncgen.report.figures.svg import SERIES, add, drawing, text, tip

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from asyncgen.report.measures.verbs import Verb

__all__ = ["sunburst"]

_SIZE = 480
_HOLE, _MIDDLE, _RIM = 48, 146, 236
_SMALLEST = 13.0
"""Arc in units of the picture below which a name would not fit."""


def sunburst(label: str, verbs: Sequence[Verb]) -> Element:
    """Draw the objects that are shown of each verb; the ring is whole with these alone."""
    picture = drawing(_SIZE, _SIZE, label)
    total = sum(map(_shown, verbs))
    angle = 0.0
    for number, verb in enumerate(sorted(verbs, key=lambda verb: -_shown(verb))):
        tone = _tone(number, len(verbs))
        turn = 2 * math.pi * _shown(verb) / total
        _sector(picture, (angle, angle + turn), (_HOLE, _MIDDLE), tone, verb.verb, verb.count)
        inner = angle
        for place, (noun, count) in enumerate(verb.nouns):
            part = 2 * math.pi * count / total
            faint = 0.62 - 0.1 * place
            _sector(
                picture,
                (inner, inner + part),
                (_MIDDLE, _RIM),
                tone,
                noun,
                count,
                opacity=faint,
                verb=verb.verb,
            )
            inner += part
        angle += turn
    return picture


def _shown(verb: Verb) -> int:
    return sum(count for _, count in verb.nouns)


def _tone(number: int, of: int) -> int:
    """Return a colour that differs from both neighbours', over the end of the ring too."""
    closing = number == of - 1 and number % SERIES == 0 and of > 1
    return 2 if closing else number % SERIES


def _sector(  # noqa: PLR0913 - a place, a colour and two names
    picture: Element,
    angles: tuple[float, float],
    radii: tuple[float, float],
    tone: int,
    name: str,
    count: int,
    *,
    opacity: float = 1.0,
    verb: str = "",
) -> None:
    group = add(picture, "g")
    add(
        group,
        "path",
        f"f{tone} gap",
        d=_ring(*angles, *radii),
        stroke_width=1.2,
        fill_opacity=opacity,
    )
    tip(group, f"{verb} {name}: {count:,}" if verb else f"{name}: {count:,} with an object")
    middle = (radii[0] + radii[1]) / 2
    if (angles[1] - angles[0]) * middle < _SMALLEST:
        return
    turn = (angles[0] + angles[1]) / 2
    x, y = _point(turn, middle)
    degrees = math.degrees(turn) - 90
    if math.pi < turn % (2 * math.pi) < 2 * math.pi:
        degrees += 180
    text(
        group,
        x,
        y,
        _fitting(name, radii[1] - radii[0]),
        "onring" if not verb else "",
        text_anchor="middle",
        dominant_baseline="central",
        transform=f"rotate({degrees:.1f} {x:.1f} {y:.1f})",
        font_size=12,
        font_weight="bold" if not verb else "normal",
    )


def _fitting(name: str, room: float) -> str:
    characters = int(room / 7)
    return name if len(name) <= characters else name[: characters - 1] + "…"


def _ring(start: float, end: float, inner: float, outer: float) -> str:
    # An arc from a point to itself is none: a whole ring stays open by a hair.
    end = min(end, start + 2 * math.pi - 1e-4)
    large = int(end - start > math.pi)
    (a, b), (c, d) = _point(start, outer), _point(end, outer)
    (e, f), (g, h) = _point(end, inner), _point(start, inner)
    return (
        f"M{a:.1f} {b:.1f}A{outer} {outer} 0 {large} 1 {c:.1f} {d:.1f}"
        f"L{e:.1f} {f:.1f}A{inner} {inner} 0 {large} 0 {g:.1f} {h:.1f}Z"
    )


def _point(turn: float, radius: float) -> tuple[float, float]:
    """Return the point at an angle, clockwise from the top."""
    return _SIZE / 2 + radius * math.sin(turn), _SIZE / 2 - radius * math.cos(turn)
