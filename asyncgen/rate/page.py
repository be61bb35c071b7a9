"""The rating page and the page of results: one file each, and what they are allowed to do."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from asyncgen.rate.rubric import RUBRIC
from asyncgen.rate.sheet import LONGEST_NAME
from asyncgen.rate.words import (
    AGREEMENT_COLUMNS,
    LEVEL_COLUMNS,
    agreement_cells,
    difference_words,
    level_cells,
)
from asyncgen.report.figures.svg import markup
from asyncgen.report.page.sheet import base_style, digest, environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.rate.results import Results
    from asyncgen.report.figures.figure import Figure

__all__ = ["HEADERS", "rating_page", "results_page"]


def _asset(name: str) -> str:
    return (files("asyncgen.rate") / "assets" / name).read_text("utf-8")


_SCRIPT = _asset("rate.js")
_STYLE = base_style() + _asset("rate.css")

HEADERS = {
    # Nothing runs but the one script, nothing is asked for elsewhere, and no text becomes markup.
    "Content-Security-Policy": (
        f"default-src 'none'; script-src '{digest(_SCRIPT)}'; style-src '{digest(_STYLE)}'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What every response of the server carries."""


def rating_page() -> str:
    """Return the page on which people rate; it asks for everything that differs between them."""
    return (
        environment()
        .from_string(_asset("rate.html"))
        .render(
            rubric=RUBRIC,
            longest=LONGEST_NAME,
            style=Markup(_STYLE),  # noqa: S704 - ours
            script=Markup(_SCRIPT),  # noqa: S704 - ours
        )
    )


def results_page(results: Results, figures: Sequence[Figure]) -> str:
    """Return the page of results; nothing runs on it.

    Args:
        results: To be told.
        figures: One of each rater.
    """
    style = base_style() + _asset("results.css")
    raters = [
        {
            "figure": figure,
            "picture": Markup(markup(figure.picture)),  # noqa: S704 - its words are escaped
            "rows": list(level_cells(one)),
            "differences": [difference_words(two) for two in one.differences],
        }
        for one, figure in zip(results.raters, figures, strict=True)
    ]
    return (
        environment()
        .from_string(_asset("results.html"))
        .render(
            results=results,
            rubric=RUBRIC,
            policy=f"default-src 'none'; style-src '{digest(style)}'; img-src data:",
            style=Markup(style),  # noqa: S704 - ours
            raters=raters,
            level_columns=LEVEL_COLUMNS,
            agreement_columns=AGREEMENT_COLUMNS,
            agreement=list(agreement_cells(results)),
        )
    )
