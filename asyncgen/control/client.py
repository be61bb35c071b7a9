"""The asking end."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from asyncgen.control.place import short_path
from asyncgen.errors import RunFolderError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ask"]

_CHUNK = 65_536


def ask(folder: Path, line: bytes, *, patience: float) -> bytes | None:
    """Send a line to the process at work on a folder and return its answer.

    Args:
        folder: The run folder.
        line: One line, without its end.
        patience: Seconds to wait for a sign of life.

    Returns:
        The answer, without the line's end; ``None`` if nobody is at work there.

    Raises:
        RunFolderError: If somebody is, but does not answer or cannot be reached.
    """
    try:
        with (
            short_path(folder) as path,
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection,
        ):
            connection.settimeout(patience)
            connection.connect(path)
            connection.sendall(line + b"\n")
            answer = _read_line(connection)
    except (FileNotFoundError, NotADirectoryError, ConnectionError):
        # A socket that nobody listens at was left by a process that died; one that ends just
        # now hangs up.
        return None
    except TimeoutError as error:
        raise RunFolderError(
            folder, f"the process at work here has not answered for {patience:g} s"
        ) from error
    except OSError as error:
        raise RunFolderError(
            folder, f"the process at work here cannot be reached ({error.strerror or error})"
        ) from error
    return answer


def _read_line(connection: socket.socket) -> bytes | None:
    answer = b""
    while not answer.endswith(b"\n"):
        chunk = connection.recv(_CHUNK)
        if not chunk:
            return None
        answer += chunk
    return answer[:-1]
