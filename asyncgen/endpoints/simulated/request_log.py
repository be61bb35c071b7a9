"""The provider's own record of requests: a file of JSON lines, written as each of them ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from asyncgen.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

__all__ = ["LoggedRequest", "RequestLog", "read_request_log"]


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One line.

    Attributes:
        content: Hash of interface and body, 16 hexadecimal digits.
        came: When it had arrived, Unix time in seconds.
        ended: When it was answered or dropped, likewise.
        outcome: As the verdict calls it: ``answered`` was sent whole, and is what a provider
            bills; ``abandoned`` lost its client before; else what refused or struck it.
    """

    content: str
    came: float
    ended: float
    outcome: str


class RequestLog:
    """Appends to a file; what has been written outlives this process, however it ends.

    Each line is one system call, 2 µs, and no promise against a power cut. A request that is
    under way when the process dies has no line.

    Args:
        path: The file; made if absent.

    Raises:
        SettingsError: If it cannot be opened.
    """

    def __init__(self, path: str) -> None:
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise SettingsError(f"--log {path}: cannot be written ({error.strerror})") from error

    def write(self, key: int, came: float, ended: float, outcome: str) -> None:
        """Append a request by its content's key; see :class:`LoggedRequest`."""
        line = LoggedRequest(content=f"{key:016x}", came=came, ended=ended, outcome=outcome)
        os.write(self._descriptor, msgspec.json.encode(line) + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def read_request_log(path: Path) -> list[LoggedRequest]:
    """Return the requests of a log in the order in which they ended."""
    return msgspec.json.Decoder(LoggedRequest).decode_lines(path.read_bytes())
