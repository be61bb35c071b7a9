"""What the tests of ``asyncgen dedup`` share: the command's type, and files on either side."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Dedup = Callable[..., tuple[int, str, str]]
"""Takes the arguments; returns exit code, output and errors."""


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def json_lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def written(path: Path, *texts: str) -> Path:
    path.write_text("".join(json.dumps({"instruction": text}) + "\n" for text in texts), "utf-8")
    return path
