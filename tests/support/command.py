"""The real command line in real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["asyncgen", "environment", "start"]


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a child: ours, without keys and colours."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    return {**kept, "NO_COLOR": "1", "COLUMNS": "120", **changes}


def start(*arguments: str | Path, **changes: str) -> subprocess.Popen[str]:
    """Start the command line and return at once."""
    return subprocess.Popen(
        [sys.executable, "-m", "asyncgen", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**changes),
    )


def asyncgen(*arguments: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end; the test's own time limit is what bounds it."""
    with start(*arguments, **changes) as process:
        try:
            out, err = process.communicate()
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)
