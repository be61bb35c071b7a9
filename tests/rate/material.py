"""Responses to rate: small files in both formats, and some that would like to run."""

from __future__ import annotations

import json
import re
import signal
import urllib.request
from typing import TYPE_CHECKING, Any

from support.command import start

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Self

__all__ = ["HOSTILE", "MODELS", "Serving", "row", "write_rows", "write_study"]

MODELS = ("base model", "<b>tuned</b>")

HOSTILE = (
    "<script>window.broken = 1</script>",
    '<img src=x onerror="window.broken = 2"> and a line\nbelow it',
    "</div></section><b>bold</b> &amp; \u2028 <svg onload=window.broken=3>",
)
"""Responses that would do something if they were taken for markup."""


def row(number: int, model: str, **changes: object) -> dict[str, object]:
    """Return a row as `asyncgen evaluate tasks` writes it."""
    made = {
        "id": f"task_{number}",
        "instruction": f"Do thing {number}.",
        "input": f"input {number}" if number % 2 else "",
        "reference": f"reference {number}",
        "model": model,
        "response": HOSTILE[number] if number < len(HOSTILE) else f"response to {number}",
        "motivation_app": f"App {number}",
    }
    return made | changes


def write_rows(path: Path, rows: Iterable[object]) -> Path:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    return path


def write_study(folder: Path, tasks: int = 8) -> list[Path]:
    """Write a file for each of two models."""
    return [
        write_rows(folder / f"{place}.jsonl", [row(number, model) for number in range(tasks)])
        for place, model in enumerate(MODELS)
    ]


class Serving:
    """`asyncgen rate` in a process of its own; killed at the end of the block if it still runs.

    Args:
        folder: Of the study.
        files: Responses, at its first start.

    Attributes:
        url: What it printed.
    """

    def __init__(self, folder: Path, *files: Path, port: int = 0) -> None:
        self.process = start("rate", *files, "--out", folder, "--port", str(port))
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/\S+", line)
            if found:
                self.url, self.port = found[0], int(found[1])
                break
        else:
            assert self.process.stderr is not None
            raise AssertionError(self.process.stderr.read())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.communicate()

    def interrupt(self) -> tuple[int, str]:
        """End it as Ctrl-C would; return its exit code and what it said in the end."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate()
        return self.process.returncode, out + err

    def post(self, act: str, **body: object) -> dict[str, Any]:
        """Ask what the page asks."""
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + act, data, method="POST")  # noqa: S310 - ours
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - ours
            found: dict[str, Any] = json.load(answer)
            return found
