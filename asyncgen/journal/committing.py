"""Writing to SQLite from a thread of its own, many things to a commit."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType
    from typing import Self

__all__ = ["Committer", "transaction"]

T = TypeVar("T")

_LARGEST_GROUP = 512
_GATHERING = 0.02
"""Seconds that a group gathers while things come fast: a commit costs as much as 20 answers."""


class Committer(Generic[T]):
    """A thread that commits what is put to it, in that order.

    While one commit is on its way to the disk, what arrives gathers for the next, and where
    several things did, a moment longer: the group grows with the load. What comes alone is
    written at once.

    Args:
        name: Of the thread.
        commit: Called on it with one group after another; must not raise.
    """

    def __init__(self, name: str, commit: Callable[[list[T]], None]) -> None:
        self._commit = commit
        self._waiting: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._is_busy = False
        self._ended = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def put(self, item: T) -> None:
        """Hand one thing over and return at once."""
        self._waiting.put(item)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Return when all that was put is committed."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while group := self._next_group():
            self._commit(group)

    def _next_group(self) -> list[T]:
        """Wait for one thing and return it with those behind it; nothing at the end."""
        group: list[T] = []
        while not self._ended and len(group) < _LARGEST_GROUP:
            if group and self._waiting.empty():
                break
            following = self._waiting.get()
            if following is None:
                self._ended = True
                break
            if not group and self._is_busy:
                time.sleep(_GATHERING)
            group.append(following)
        self._is_busy = len(group) > 1
        return group


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """Write all of a block, or nothing.

    Raises:
        sqlite3.Error: If it could not be written.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # Whatever ended the block, Ctrl-C too: an open transaction would keep all others out.
        with contextlib.suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise
