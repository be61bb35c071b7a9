"""Appending answers durably, many to a commit, off the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from contextlib import closing
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec

from asyncgen.errors import RunFolderError
from asyncgen.journal import schema
from asyncgen.journal.committing import Committer, transaction
from asyncgen.journal.reserve import Reserve
from asyncgen.journal.rows import RowWriter, read, read_digests

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from asyncgen.records import Answer

    Outcome: TypeAlias = tuple[asyncio.Future[None], RunFolderError | None]

__all__ = ["Journal", "JournalReader"]


class _Entry(NamedTuple):
    """What is to be written.

    Attributes:
        answer: ``None`` to wait for those before it.
        done: Resolved when it is on the disk; ``None`` if nobody waits for that.
    """

    answer: Answer | None
    done: asyncio.Future[None] | None


_ROOM = 256 * 1024
_ROOM_EACH = 24 * 1024
"""Bytes that an answer may take: some pages, if it is committed by itself."""


class Journal:
    """The journal of the run that this process holds, with one thread that writes.

    Args:
        path: The database; made if absent. The caller holds the run's lock.

    Raises:
        RunFolderError: If it is damaged, of another layout or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = schema.connect(path, writable=True)
        self._rows = RowWriter(self._connection)
        self._committer = Committer("journal", self._commit)
        self._behind: list[Answer] = []
        self._commits = 0
        self._loss = 0.0
        self._reserve = Reserve(path.with_name("journal.reserve"))
        self._full: RunFolderError | None = None

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

    def keep_room(self, answers: int) -> None:
        """Keep room for so many answers, which are still written when the disk is full.

        Raises:
            RunFolderError: If there is none.
        """
        self._reserve.take(_ROOM + answers * _ROOM_EACH)

    async def append(self, answer: Answer) -> None:
        """Return when the answer, and whatever was noted before it, is on the disk.

        Raises:
            RunFolderError: If it could not be written; or if the disk is full, though there was
                room kept for it.
        """
        await self._written(answer)

    def note(self, answer: Answer) -> None:
        """Write an answer that may be had again for nothing, and return at once.

        What is appended later is never on the disk without it.
        """
        self._committer.put(_Entry(answer, None))

    async def settle(self) -> None:
        """Return when all that was noted is on the disk.

        Raises:
            RunFolderError: If it could not be written.
        """
        await self._written(None)

    def __enter__(self) -> Self:
        self._committer.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._committer.__exit__(kind, error, trace)
        self._reserve.give()
        try:
            if self._loss > 0:
                schema.insert_loss(self._connection, self._loss)
        except sqlite3.Error as problem:
            if error is None:
                raise self._unwritten(problem) from problem
        finally:
            self._connection.close()

    async def _written(self, answer: Answer | None) -> None:
        done = asyncio.get_running_loop().create_future()
        # An answer that has arrived is paid for: written even if its taker is cancelled.
        self._committer.put(_Entry(answer, done))
        await done

    def _commit(self, group: list[_Entry]) -> None:
        for loop, outcomes in groupby(self._outcomes(group), key=lambda one: one[0].get_loop()):
            # The loop may be closed by now: then nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_resolve, list(outcomes))

    def _outcomes(self, group: list[_Entry]) -> list[Outcome]:
        """Write a group, after what is still to be written of earlier ones.

        If it cannot be written as a whole, each is by itself: one takes no other along.
        """
        error = self._write(self._behind + [one.answer for one in group if one.answer is not None])
        if error is not None and len(group) > 1:
            return [outcome for one in group for outcome in self._outcomes([one])]
        if error is None:
            self._behind.clear()
            error = self._full
        else:
            # Others followed from these: they must not be on the disk without them.
            self._behind += [one.answer for one in group if one.answer and one.done is None]
        return [(one.done, error) for one in group if one.done is not None]

    def _write(self, answers: list[Answer]) -> RunFolderError | None:
        if not answers:
            return None
        error = self._insert(answers)
        if isinstance(error, sqlite3.Error) and self._reserve.give():
            again = self._insert(answers)
            if again is None:
                self._full = self._without_room(error)
            error = again
        return None if error is None else self._unwritten(error)

    def _insert(self, answers: list[Answer]) -> Exception | None:
        try:
            with transaction(self._connection):
                self._rows.insert(answers)
        except (sqlite3.Error, ValueError, OverflowError) as error:
            # Values that SQLite cannot hold as well: the thread must not die, others wait for it.
            self._rows.forget()
            return error
        self._commits += 1
        return None

    def _without_room(self, error: Exception) -> RunFolderError:
        return RunFolderError(
            self._path,
            f"no room left ({error}); what has come is written: make room, then run the "
            "same command again",
        )

    def _unwritten(self, error: Exception) -> RunFolderError:
        return RunFolderError(
            self._path,
            f"an answer could not be written ({error}); what is there is safe: make room, "
            "then run the same command again",
        )


class JournalReader:
    """Reads a run's journal beside whoever writes it, changing nothing.

    Raises:
        RunFolderError: If there is none, it is damaged or of another layout, or somebody begins
            to write while it is read on the understanding that nobody does.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise RunFolderError(path.parent, f"no run here: {path.name} is missing")
        self._path = path

    def __iter__(self) -> Iterator[Answer]:
        with self._opened() as connection:
            yield from _read_all(connection, self._path)

    def digests(self) -> Iterator[bytes]:
        """Yield the SHA-256 written beside each request, in the order of commits."""
        with self._opened() as connection:
            yield from read_digests(connection)

    def losses(self) -> float:
        """Return the same as :meth:`Journal.losses`."""
        with self._opened() as connection, _damage_named(self._path):
            return schema.losses(connection)

    def check(self) -> list[str]:
        """Read every page and return what is wrong, a line each; nothing if all is whole.

        Seconds for a gigabyte. Whoever writes meanwhile is not held up.

        Raises:
            RunFolderError: If it is so damaged that it cannot be opened.
        """
        with self._opened() as connection:
            return schema.problems(connection)

    @contextlib.contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        before = self._stamp()
        with closing(schema.connect(self._path, writable=False)) as connection:
            try:
                yield connection
            except (sqlite3.DatabaseError, RunFolderError):
                self._check_unchanged(before)
                raise
        self._check_unchanged(before)

    def _check_unchanged(self, before: _Stamp) -> None:
        """Refuse what was read if it was taken for granted that nobody writes, and somebody did."""
        if not before.wal and self._stamp() != before:
            raise RunFolderError(
                self._path.parent,
                "a process began to work on it meanwhile: run the same command again",
            )

    def _stamp(self) -> _Stamp:
        status = self._path.stat()
        wal = self._path.with_name(f"{self._path.name}-wal").exists()
        return _Stamp(wal, status.st_mtime_ns, status.st_size)


class _Stamp(NamedTuple):
    """By what it shows that a file was written meanwhile."""

    wal: bool
    modified: int
    size: int


def _read_all(connection: sqlite3.Connection, path: Path) -> Iterator[Answer]:
    with _damage_named(path):
        yield from read(connection)


@contextlib.contextmanager
def _damage_named(path: Path) -> Generator[None]:
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
