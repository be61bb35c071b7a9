"""A real browser without a network, and what it said and asked for while a page was open."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

__all__ = ["Visit", "browser", "find_chromium", "visit", "visit_server"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(slots=True)
class Visit:
    """A page that is open.

    Attributes:
        said: Errors and warnings on the console, and exceptions.
        asked: Addresses that were asked for, the page's own left out.
    """

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def find_chromium() -> str:
    """Return where Chromium is, or skip the test."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium found: install it, or name it in CHROMIUM")
    return found


@contextmanager
def browser() -> Generator[Browser]:
    """Start Chromium; its profile is new and goes with it."""
    path = find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        try:
            yield running
        finally:
            running.close()


@contextmanager
def visit(
    running: Browser, path: Path, *, width: int = 1280, dark: bool = False
) -> Generator[Visit]:
    """Open a page of ours, without a network, and wait until its tasks are there."""
    address = path.resolve().as_uri()
    with visit_server(running, address, width=width, dark=dark, offline=True) as made:
        made.page.wait_for_selector("html[data-ready=yes]")
        yield made


@contextmanager
def visit_server(
    running: Browser,
    address: str,
    *,
    width: int = 1280,
    dark: bool = False,
    offline: bool = False,
) -> Generator[Visit]:
    """Open a page; what is asked for below its own address counts as its own."""
    context = running.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        offline=offline,
    )
    made = Visit(context.new_page())
    made.page.on("console", lambda message: made.said.append(f"{message.type}: {message.text}"))
    made.page.on("pageerror", lambda error: made.said.append(str(error)))
    made.page.on(
        "request",
        lambda one: None if one.url.startswith(address) else made.asked.append(one.url),
    )
    try:
        made.page.goto(address)
        yield made
    finally:
        context.close()
