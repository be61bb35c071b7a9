"""SVG elements and the colours of their classes.

Colours stand in a style sheet, never in the elements, so that one picture
serves a light page, a dark page and a file of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

if TYPE_CHECKING:
    from asyncgen.report.figures.figure import Figure

__all__ = [
    "COLOURS",
    "SERIES",
    "SMALL_SCREEN",
    "add",
    "drawing",
    "markup",
    "page_rules",
    "standalone",
    "text",
    "tip",
    "width_of",
]

COLOURS: dict[str, tuple[str, str]] = {
    "paper": ("#ffffff", "#1b1e23"),
    "ink": ("#1d2430", "#e6e8eb"),
    "muted": ("#5d6675", "#a3abb8"),
    "line": ("#dfe3e8", "#343a43"),
    # After Okabe and Ito: told apart with any of the common kinds of colour vision.
    "s0": ("#0072b2", "#56a8e0"),
    "s1": ("#c45200", "#f0924f"),
    "s2": ("#00805e", "#3fc39d"),
    "s3": ("#a8487f", "#de94bf"),
    "s4": ("#946a00", "#edc04d"),
    "s5": ("#4b5a9b", "#a3b1ee"),
}
"""Each colour on light and on dark."""

SERIES = 6
"""How many series have colours of their own."""

SMALL_SCREEN = 15
"""Size of letters on a small screen, where pictures shrink; room is left for it."""

_TITLE, _MARGIN = 36, 10
_FONTS = "Lato, system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"

_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold; a model's answer can."""

_RULES = (
    ("text", "fill", "ink"),
    ("text.muted", "fill", "muted"),
    ("text.onring", "fill", "paper"),
    (".grid", "stroke", "line"),
    (".axis", "stroke", "muted"),
    (".rule", "stroke", "ink"),
    (".soft", "fill", "line"),
    (".gap", "stroke", "paper"),
    *((f".f{index}", "fill", f"s{index}") for index in range(SERIES)),
    *((f".l{index}", "stroke", f"s{index}") for index in range(SERIES)),
)


def drawing(width: float, height: float, label: str) -> Element:
    """Return an empty picture that scales to the width it is given."""
    return Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width:g} {height:g}",
            "role": "img",
            "aria-label": _clean(label),
            "font-size": "12",
        },
    )


def add(parent: Element, tag: str, kind: str = "", **attributes: float | str) -> Element:
    """Append an element; numbers are rounded to what can be seen."""
    given = {"class": kind} if kind else {}
    for name, value in attributes.items():
        written = value if isinstance(value, str) else f"{round(value, 2):g}"
        given[name.rstrip("_").replace("_", "-")] = _clean(written)
    return SubElement(parent, tag, given)


def text(
    parent: Element, x: float, y: float, words: str, kind: str = "", **more: float | str
) -> Element:
    """Append a text."""
    made = add(parent, "text", kind, x=x, y=y, **more)
    made.text = _clean(words)
    return made


def tip(element: Element, words: str) -> None:
    """Say what an element is when it is pointed at."""
    SubElement(element, "title").text = _clean(words)


def width_of(words: str, size: float = 12) -> float:
    """Return about how wide a text is; no font is at hand to measure it."""
    return len(words) * size * 0.54


def markup(picture: Element) -> str:
    """Return a picture as markup for a page that has the style sheet."""
    return tostring(picture, encoding="unicode")


def standalone(figure: Figure, *, dark: bool | None = None) -> str:
    """Return a figure as a file of its own, with its title and its colours.

    Args:
        figure: What to show.
        dark: Which colours; ``None`` for those that the reader prefers.
    """
    _, _, width, height = map(float, figure.picture.attrib["viewBox"].split())
    whole, tall = width + 2 * _MARGIN, height + _TITLE + _MARGIN
    outer = drawing(whole, tall, figure.title)
    outer.set("width", f"{1.6 * whole:g}")
    outer.set("height", f"{1.6 * tall:g}")
    outer.set("font-family", _FONTS)
    add(outer, "style").text = _style(dark=dark)
    add(outer, "rect", "paper", width=whole, height=tall)
    text(outer, _MARGIN + 2, 24, figure.title, font_size=14, font_weight="bold")
    inner = add(outer, "svg", x=_MARGIN, y=_TITLE, width=width, height=height)
    inner.set("viewBox", figure.picture.attrib["viewBox"])
    inner.extend(figure.picture)
    return tostring(outer, encoding="unicode", xml_declaration=True)


def _style(*, dark: bool | None) -> str:
    if dark is not None:
        return _rules(int(dark))
    return f"{_rules(0)} @media (prefers-color-scheme: dark) {{ {_rules(1)} }}"


def _rules(which: int) -> str:
    rules = (("rect.paper", "fill", "paper"), *_RULES)
    return " ".join(
        f"{name} {{ {what}: {COLOURS[colour][which]} }}" for name, what, colour in rules
    )


def page_rules() -> str:
    """Return the same rules for a page that keeps the colours in variables."""
    return "\n".join(f"svg {name} {{ {what}: var(--{colour}) }}" for name, what, colour in _RULES)


def _clean(words: str) -> str:
    return _FORBIDDEN.sub("�", words)
