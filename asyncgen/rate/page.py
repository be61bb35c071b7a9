"""The rating page: one file of markup, style and script, and what it is allowed to do."""

from __future__ import annotations

from importlib.resources import files

from asyncgen.rate.rubric import RUBRIC
from asyncgen.rate.sheet import LONGEST_NAME
from asyncgen.report.page.sheet import base_style, digest

__all__ = ["HEADERS", "asset", "render"]


def asset(name: str) -> str:
    """Return one of the page's parts."""
    return (files("asyncgen.rate") / "assets" / name).read_text("utf-8")


def _style() -> str:
    return base_style() + asset("rate.css")


HEADERS = {
    # Nothing runs but the one script, nothing is asked for elsewhere, and no text becomes markup.
    "Content-Security-Policy": (
        f"default-src 'none'; script-src '{digest(asset('rate.js'))}'; "
        f"style-src '{digest(_style())}'; connect-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What every response carries."""


def render() -> str:
    """Return the page; it asks for everything that differs between raters."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(asset("rate.html")).render(
        rubric=RUBRIC,
        longest=LONGEST_NAME,
        style=Markup(_style()),  # noqa: S704 - ours
        script=Markup(asset("rate.js")),  # noqa: S704 - ours
    )
