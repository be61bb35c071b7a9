"""Appending answers durably, many to a commit, off the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from contextlib import closing
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from asyncgen.errors import RunFolderError
from asyncgen.journal import schema
from asyncgen.journal.rows import RowWriter, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from asyncgen.records import Answer

    Waiting: TypeAlias = tuple[Answer, asyncio.Future[None]]
    Outcome: TypeAlias = tuple[asyncio.Future[None], RunFolderError | None]

__all__ = ["Journal", "JournalReader"]

_LARGEST_GROUP = 512
_GATHERING = 0.02
"""Seconds that a group gathers while answers come fast: a commit costs as much as 20 answers."""


class Journal:
    """The journal of the run that this process holds, with one thread that writes.

    While one commit is on its way to the disk, the answers that arrive gather for the next, and
    where several did, a moment longer: the group grows with the load. An answer that comes
    alone is written at once.

    Args:
        path: The database; made if absent. The caller holds the run's lock.

    Raises:
        RunFolderError: If it is damaged, of another layout or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = schema.connect(path, writable=True)
        self._rows = RowWriter(self._connection)
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._is_busy = False
        self._ended = False
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
        with _damage_named(self._path):
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
        # An answer that has arrived is paid for: written even if its taker is cancelled.
        self._waiting.put((answer, done))
        await done

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
        while group := self._next_group():
            errors = self._commit_each([answer for answer, _ in group])
            outcomes = [(done, error) for (_, done), error in zip(group, errors, strict=True)]
            for loop, of_one in groupby(outcomes, key=lambda outcome: outcome[0].get_loop()):
                # The loop may be closed by now: then nobody waits any more.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(_resolve, list(of_one))

    def _next_group(self) -> list[Waiting]:
        """Wait for an answer and return it with those behind it; nothing at the end."""
        group: list[Waiting] = []
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

    def _commit_each(self, answers: list[Answer]) -> list[RunFolderError | None]:
        """Commit answers together; if that fails each by itself, so that one takes none along."""
        error = self._commit(answers)
        if error is None or len(answers) == 1:
            return [error] * len(answers)
        return [self._commit([answer]) for answer in answers]

    def _commit(self, answers: list[Answer]) -> RunFolderError | None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._rows.insert(answers)
            self._connection.execute("COMMIT")
        except (sqlite3.Error, ValueError, OverflowError) as error:
            # Values that SQLite cannot hold as well: this thread must not die, others wait for it.
            with contextlib.suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            self._rows.forget()
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
        with (
            closing(schema.connect(self._path, writable=False)) as connection,
            _damage_named(self._path),
        ):
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
    with _damage_named(path):
        yield from read(connection)


@contextlib.contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.DatabaseError, msgspec.MsgspecError) as error:
        raise RunFolderError(
            path, f"the journal is damaged: {error}; put a copy of it back"
        ) from error


def _resolve(outcomes: list[Outcome]) -> None:
    for done, error in outcomes:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
