"""What all pages share: colours, the look of common things, and names of parts in a policy."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from asyncgen.report.figures.svg import COLOURS, page_rules

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["base_style", "digest", "environment"]


def environment() -> Environment:
    """Return what fills templates: text is escaped, and a name that is not given is an error."""
    from jinja2 import Environment, StrictUndefined

    return Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def base_style() -> str:
    """Return the style sheet that every page begins with."""
    light, dark = (
        " ".join(f"--{name}: {pair[which]};" for name, pair in COLOURS.items()) for which in (0, 1)
    )
    colours = (
        f":root {{ {light} }}\n"
        # On the screen only: paper is light.
        f"@media screen and (prefers-color-scheme: dark) "
        f"{{ :root:not([data-theme=light]) {{ {dark} }} }}\n"
        f"@media screen {{ :root[data-theme=dark] {{ {dark} }} }}\n"
    )
    base = (files("asyncgen.report.page") / "assets" / "base.css").read_text("utf-8")
    return f"{colours}{page_rules()}\n{base}"


def digest(text: str) -> str:
    """Return how a Content-Security-Policy names a script or a style sheet."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
