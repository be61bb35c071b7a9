"""Pages of documentation as scripts: files to write, commands to run, output to compare."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Command", "File", "matches", "steps"]

_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class File:
    """A block whose first line names a file: it is written before what follows."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a console block.

    Attributes:
        line: Where it stands in the page, from 1.
        text: Without its prompt; continued lines are one.
        output: What the page shows, ``…`` standing for anything; empty if it shows nothing.
    """

    line: int
    text: str
    output: str

    @property
    def code(self) -> str:
        """What it exits with: 0, unless a comment says otherwise."""
        said = re.search(r"# exit code (\d+)$", self.text)
        return said[1] if said else "0"


def steps(page: Path) -> Iterator[File | Command]:
    """Read a page from top to bottom."""
    text = page.read_text("utf-8")
    for block in _BLOCK.finditer(text):
        language, name, content = block[1], block[2].strip(), block[3]
        if language == "console":
            yield from _commands(content, 2 + text[: block.start()].count("\n"))
        elif name:
            yield File(name, content)


def _commands(content: str, line: int) -> Iterator[Command]:
    for part in re.split(r"^(?=\$ )", content, flags=re.MULTILINE):
        if part.startswith("$ "):
            shown = re.match(r"\$ ((?:.*\\\n)*.*)\n?", part)
            assert shown is not None
            yield Command(line, shown[1], part[shown.end() :])
        line += part.count("\n")


def matches(shown: str, said: str) -> bool:
    """Tell whether output is as shown, ``…`` standing for anything and blanks counting once."""
    parts = [re.escape(" ".join(part.split())) for part in shown.split("…")]
    pattern = r"\s*.*?\s*".join(part.replace(r"\ ", " ") for part in parts)
    return re.fullmatch(pattern, " ".join(said.split())) is not None
