"""Room on the journal's disk that is given up when the disk is full."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from asyncgen.errors import RunFolderError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Reserve"]


class Reserve:
    """A file that keeps room free for answers that are on their way when there is none left.

    What a killed process left behind is taken over.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held = False

    def take(self, size: int) -> None:
        """Keep so many bytes free.

        Raises:
            RunFolderError: If there is not so much room.
        """
        try:
            with self._path.open("ab") as stream:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(stream.fileno(), 0, size)
                else:  # macOS
                    stream.write(os.urandom(max(size - stream.tell(), 0)))
        except OSError as error:
            self._path.unlink(missing_ok=True)
            raise RunFolderError(
                self._path.parent,
                f"no room for the {size / 1e6:.1f} MB that answers on their way may need "
                f"({error.strerror}); make room, then run the same command again",
            ) from error
        self._held = True

    def give(self) -> bool:
        """Give the room back, a killed process's too; return whether this one held any."""
        held, self._held = self._held, False
        self._path.unlink(missing_ok=True)
        return held
