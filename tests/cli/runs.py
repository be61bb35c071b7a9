"""What the tests of ``verify`` and ``refilter`` share: runs, and what lies in their folders."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from support.command import asyncgen
from support.server import ModelServer

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TARGET", "Verify", "arguments", "contents", "generated"]

TARGET = 24

Verify = Callable[..., tuple[int, dict[str, Any]]]
"""Takes a run folder and further arguments; returns exit code and JSON."""


def arguments(server: ModelServer, run: Path, *more: str | Path) -> list[str | Path]:
    """Return those of a small run."""
    options = ("--model", "test-model", "--target", str(TARGET))
    return ["generate", run, "--endpoint", server.url, *options, *more]


def generated(run: Path, *more: str | Path) -> Path:
    """Make a small run and return its folder."""
    with ModelServer() as server:
        done = asyncgen(*arguments(server, run, *more))
    assert done.returncode == 0, done.stderr
    return run


def contents(run: Path) -> dict[str, bytes]:
    """Return what lies in a folder; SQLite's shared memory, locks and no data, left out."""
    return {
        one.name: one.read_bytes()
        for one in run.iterdir()
        if one.is_file() and not one.name.endswith("-shm")
    }
