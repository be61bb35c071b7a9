"""Where the socket is, and a path to it that an address has room for."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["SOCKET", "short_path"]

SOCKET = "control.sock"

_LONGEST = 100
"""Bytes. An address holds 108 on Linux and 104 on macOS, with a final zero."""


@contextmanager
def short_path(folder: Path) -> Generator[str]:
    """Yield a path of the folder's socket that is short enough to bind and to connect to.

    One that is too long is reached by a symbolic link to the folder, for as long as
    the block runs.

    Raises:
        OSError: If that link cannot be made.
    """
    path = folder / SOCKET
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="asyncgen-") as home:
        link = Path(home, "run")
        link.symlink_to(folder.absolute())
        yield str(link / SOCKET)
