"""Writing to SQLite from a thread of its own, many things to a commit."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType
    from typing import Self

__all__ = ["Committer", "transaction"]

T = TypeVar("T")

_LARGEST_GROUP = 512


class Committer(Generic[T]):
    """A thread that commits what is put to it, in that order.

    While one commit is on its way to the disk, what arrives gathers for the
    next: the group grows with the load, and nothing waits for a timer.

    Args:
        name: Of the thread.
        commit: Called on it with one group after another; must not raise.
    """

    def __init__(self, name: str, commit: Callable[[list[T]], None]) -> None:
        self._commit = commit
        self._waiting: queue.SimpleQueue[T | None] = queue.SimpleQueue()
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
        while (first := self._waiting.get()) is not None:
            group = [first]
            last = False
            while len(group) < _LARGEST_GROUP and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    last = True
                    break
                group.append(following)
            self._commit(group)
            if last:
                return


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
        with contextlib.suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise
