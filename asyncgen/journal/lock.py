"""One process per run: an advisory lock that dies with its owner."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from asyncgen.errors import RunFolderError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["RunLock"]


class RunLock:
    """Holds a run folder for this process, from ``__enter__`` to ``__exit__``.

    The kernel frees it when the process ends in whatever way; a file left
    behind locks nothing. The file holds the owner's process id, for people.

    Raises:
        RunFolderError: On entry, if another process holds it or it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        path = self._folder / "run.lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RunFolderError(
                self._folder, f"not writable ({os.strerror(error.errno or 0)}); choose another"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise RunFolderError(
                self._folder,
                f"in use by process {owner or 'unknown'}; wait for it, or end it and run again",
            ) from error
        except OSError as error:
            os.close(descriptor)
            raise RunFolderError(
                self._folder, f"cannot be locked ({error.strerror}); choose another"
            ) from error
        with contextlib.suppress(OSError):
            # For people only: a full disk need not keep anybody out.
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
