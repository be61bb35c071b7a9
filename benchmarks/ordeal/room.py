"""Room on a disk that runs out, and is made again: a file system of its own, or a limit."""

from __future__ import annotations

import os
import resource
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["Limit", "NoMountError", "Room", "Tmpfs", "tmpfs"]


class NoMountError(Exception):
    """Raised where this user may not mount anything."""


class Room(Protocol):
    """What a run folder may take."""

    size: int
    """Bytes."""

    def grow(self) -> None:
        """Make more room."""
        ...

    def choke(self, left: int) -> None:
        """Leave so many bytes for what is written from now on."""
        ...

    def relieve(self) -> None:
        """Take that back."""
        ...

    def confine(self) -> None:
        """Called in each session's process before it becomes the command."""
        ...


@dataclass
class Limit:
    """No file may grow beyond a size (``RLIMIT_FSIZE``): needs no privilege."""

    size: int
    choked: int | None = None

    def grow(self) -> None:
        """Allow twice as much."""
        self.size *= 2

    def choke(self, left: int) -> None:
        """Allow so much and no more; files that are larger may not be written beyond it."""
        self.choked = left

    def relieve(self) -> None:
        """Lift the limit."""
        self.choked = resource.RLIM_INFINITY

    def confine(self) -> None:
        """Set the limit for this process."""
        size = self.size if self.choked is None else self.choked
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@dataclass
class Tmpfs:
    """A small file system in memory: every write may fail with ENOSPC."""

    folder: Path
    size: int

    def grow(self) -> None:
        """Make it twice as large."""
        self.size *= 2
        _mount("-o", f"remount,size={self.size}", str(self.folder))

    def choke(self, left: int) -> None:
        """Fill it up with another file."""
        space = os.statvfs(self.folder)
        ballast = max(space.f_bavail * space.f_frsize - left, 0)
        (self.folder / "ballast").write_bytes(b"\0" * ballast)

    def relieve(self) -> None:
        """Remove that."""
        (self.folder / "ballast").unlink()

    def confine(self) -> None:
        """Nothing to do: the folder is what is small."""


@contextmanager
def tmpfs(folder: Path, size: int) -> Generator[Tmpfs]:
    """Mount one for as long as the block runs.

    Raises:
        NoMountError: If that is not allowed.
    """
    folder.mkdir(parents=True)
    _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield Tmpfs(folder, size)
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607 - wherever it is


def _mount(*arguments: str) -> None:
    try:
        subprocess.run(["mount", *arguments], check=True, capture_output=True)  # noqa: S607
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoMountError(f"mount {' '.join(arguments)}: {error}") from error
