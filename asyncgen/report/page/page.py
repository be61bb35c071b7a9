"""One HTML file out of measures and figures."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from asyncgen import __version__
from asyncgen.report.figures.losses import counted, in_words
from asyncgen.report.figures.svg import markup
from asyncgen.report.page.sheet import base_style, digest, environment
from asyncgen.report.page.tasks import packed
from asyncgen.report.page.words import differing, facts, lead, settings_of, stages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from asyncgen.report.figures.figure import Figure
    from asyncgen.report.figures.gallery import Gallery
    from asyncgen.report.measures.measures import Measures

__all__ = ["render"]

_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing is fetched, nothing runs but the one script, and no text becomes markup."""


def render(runs: Sequence[Measures], figures: Gallery, *, missing: str = "") -> str:
    """Return the page.

    Args:
        runs: Shown side by side if there are several.
        figures: Of the same runs.
        missing: What could not be drawn, and what to install for it.
    """
    from markupsafe import Markup

    style, script = _style(), _asset("page.js")
    templates = environment()
    templates.filters["words"] = in_words
    templates.filters["counted"] = counted
    templates.filters["svg"] = _svg
    return templates.from_string(_asset("page.html")).render(
        runs=runs,
        figures=figures,
        missing=missing,
        policy=_POLICY.format(script=digest(script), style=digest(style)),
        style=Markup(style),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours
        tasks=packed(runs),
        leads=[lead(run) for run in runs],
        facts=[facts(run) for run in runs],
        stages=[stages(run) for run in runs],
        settings=[settings_of(run) for run in runs],
        differing=differing(runs),
        version=__version__,
    )


def _svg(figure: Figure) -> Markup:
    from markupsafe import Markup

    return Markup(markup(figure.picture))  # noqa: S704 - its words are escaped


def _style() -> str:
    return base_style() + _asset("style.css")


def _asset(name: str) -> str:
    return (files("asyncgen.report.page") / "assets" / name).read_text("utf-8")
