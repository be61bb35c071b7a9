"""Appending answers durably, many to a commit, off the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from asyncgen.errors import RunFolderError
from asyncgen.journal import schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from asyncgen.records import Answer

    Waiting: TypeAlias = tuple[Answer, asyncio.Future[None]]

__all__ = ["Journal", "JournalReader"]

_LARGEST_BATCH = 512


class Journal:
    """The journal of the run that this process holds, with one thread that writes.

    While one commit is on its way to the disk, the answers that arrive gather
    for the next: the group grows with the load, and no answer waits for a timer.

    Args:
        path: The database; made if absent. The caller holds the run's lock.

    Raises:
        RunFolderError: If it is damaged, of another layout or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = schema.connect(path, writable=True)
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._commits = 0
        self._loss = 0.0

    @property
    def commits(self) -> int:
        """How many transactions were committed in this session."""
        return self._commits

    def replay(self) -> Iterator[Answer]:
        """Yield what the journal holds, in the order of commits."""
        return _read_all(self._connection, self._path)

    def losses(self) -> float:
        """Return what attempts of earlier sessions may have cost that brought no answer.

        In US dollars, at the worst, those left out that came before a request's answer.
        """
        return schema.losses(self._connection)

    def lose(self, cost: float) -> None:
        """Count such attempts of this session, in US dollars; written when the journal closes."""
        self._loss += cost

    async def append(self, answer: Answer) -> None:
        """Return when the answer is on the disk.

        Raises:
            RunFolderError: If it could not be written: the disk is full, say.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.put((answer, done))
        # An answer that has arrived is paid for: written even if its taker is cancelled.
        await asyncio.shield(done)

    def __enter__(self) -> Self:
        self._writer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._waiting.put(None)
        self._writer.join()
        try:
            if self._loss > 0:
                schema.insert_loss(self._connection, self._loss)
        except sqlite3.Error as problem:
            if error is None:
                raise self._unwritten(problem) from problem
        finally:
            self._connection.close()

    def _write(self) -> None:
        """Commit group after group; the writing thread's whole life."""
        while (first := self._waiting.get()) is not None:
            batch = [first]
            last = False
            while len(batch) < _LARGEST_BATCH and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    last = True
                    break
                batch.append(following)
            error = self._commit([answer for answer, _ in batch])
            for _, done in batch:
                # The loop may be closed by now: then nobody waits any more.
                with contextlib.suppress(RuntimeError):
                    done.get_loop().call_soon_threadsafe(_resolve, done, error)
            if last:
                return

    def _commit(self, answers: list[Answer]) -> RunFolderError | None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for answer in answers:
                schema.insert(self._connection, answer)
            self._connection.execute("COMMIT")
        except (sqlite3.Error, ValueError, OverflowError) as error:
            # Values that SQLite cannot hold as well: this thread must not die, others wait for it.
            with contextlib.suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            return self._unwritten(error)
        self._commits += 1
        return None

    def _unwritten(self, error: Exception) -> RunFolderError:
        return RunFolderError(
            self._path,
            f"an answer could not be written ({error}); what is there is safe: make room, "
            "then run the same command again",
        )


class JournalReader:
    """Reads a run's journal beside whoever writes it, changing nothing.

    Raises:
        RunFolderError: If there is none, or it is damaged or of another layout.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise RunFolderError(path.parent, f"no run here: {path.name} is missing")
        self._path = path

    def __iter__(self) -> Iterator[Answer]:
        with closing(schema.connect(self._path, writable=False)) as connection:
            yield from _read_all(connection, self._path)

    def losses(self) -> float:
        """Return the same as :meth:`Journal.losses`."""
        with closing(schema.connect(self._path, writable=False)) as connection:
            return schema.losses(connection)

    def check(self) -> list[str]:
        """Read every page and return what is wrong, a line each; nothing if all is whole.

        Seconds for a gigabyte. Whoever writes meanwhile is not held up.

        Raises:
            RunFolderError: If it is so damaged that it cannot be opened.
        """
        with closing(schema.connect(self._path, writable=False)) as connection:
            return schema.problems(connection)


def _read_all(connection: sqlite3.Connection, path: Path) -> Iterator[Answer]:
    try:
        yield from schema.read(connection)
    except (sqlite3.DatabaseError, msgspec.MsgspecError) as error:
        raise RunFolderError(path, f"the journal is damaged: {error}") from error


def _resolve(done: asyncio.Future[None], error: RunFolderError | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
