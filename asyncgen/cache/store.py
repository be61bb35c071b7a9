"""The file of shared answers: a SQLite database that several processes read and write at once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from asyncgen.errors import CacheError
from asyncgen.journal import request_digest, transaction
from asyncgen.records import Completion, Failures

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from asyncgen.records import Request

__all__ = ["VERSION", "AnswerCache", "key_of"]

VERSION = 1
"""Number of the layout, kept as SQLite's ``user_version``."""

_APPLICATION = 0x61736763
"""What SQLite's ``application_id`` says of a file that is ours."""

_PATIENCE = 10.0
"""Seconds that a writer waits for another process's commit, which takes milliseconds."""

_TABLE = """
CREATE TABLE answers (
    key        BLOB PRIMARY KEY,  -- SHA-256 of who is asked and what
    identity   TEXT NOT NULL,     -- of the model that was asked
    kept_at    REAL NOT NULL,     -- Unix time, seconds
    completion TEXT NOT NULL      -- JSON
) STRICT
"""


class AnswerCache:
    """Answers by what was asked; of several to the same request, the first.

    Reading never waits, not even while somebody writes. A commit is in the file at once, though
    a power cut may take the last ones: whoever asked has them in a journal.

    Args:
        folder: Made if absent; one on a disk of this machine.

    Attributes:
        path: The database.

    Raises:
        CacheError: If it is damaged, of another layout, of something else, or not writable.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "answers.db"
        with ExitStack() as undo, _alone(folder):
            try:
                self._writer = self._connect()
                undo.callback(self._writer.close)
                self._prepare()
                self._reader = self._connect()
                undo.callback(self._reader.close)
                self.find(b"")
                # From now on nobody has reason to keep readers out, but for mending a crash.
                self._reader.execute("PRAGMA busy_timeout = 0")
            except sqlite3.Error as error:
                raise CacheError(self.path, f"cannot be used as a cache: {error}") from error
            self._undo = undo.pop_all()

    def find(self, key: bytes) -> Completion | None:
        """Return an answer, marked as recalled; ``None`` if there is none.

        Raises:
            sqlite3.Error: If the file cannot be read.
            msgspec.MsgspecError: If the answer is damaged.
        """
        query = "SELECT completion FROM answers WHERE key = ?"
        for (text,) in self._reader.execute(query, (key,)).fetchall():
            said = msgspec.json.decode(text, type=Completion)
            return msgspec.structs.replace(said, recalled=True, failures=Failures(), lost_cost=0.0)
        return None

    def add(self, answers: Iterable[tuple[bytes, str, Completion]]) -> None:
        """Write answers, each with its key and the identity of the model; may wait for others.

        Raises:
            sqlite3.Error: If they could not be written: the disk is full, say.
            ValueError: If one holds what no file can.
        """
        now = time.time()
        rows = [
            (key, identity, now, msgspec.json.encode(one).decode())
            for key, identity, one in answers
        ]
        with transaction(self._writer):
            self._writer.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(sqlite3.Error):
            # Closing tidies up as well, which a full disk need not make the run's affair.
            self._undo.close()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self.path, timeout=_PATIENCE, check_same_thread=False, isolation_level=None
        )

    def _prepare(self) -> None:
        """Make the table in an empty database, and leave one of something else as it is."""
        with transaction(self._writer):
            if self._number("SELECT count(*) FROM sqlite_schema") == 0:
                self._writer.execute(_TABLE)
                self._writer.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._writer.execute(f"PRAGMA user_version = {VERSION}")
        if self._number("PRAGMA application_id") != _APPLICATION:
            raise CacheError(self.path, "not a cache, but a database of something else")
        version = self._number("PRAGMA user_version")
        if version != VERSION:
            raise CacheError(
                self.path, f"a cache of layout {version}; this asyncgen uses layout {VERSION}"
            )
        # Once for all in the file: so that readers and a writer do not wait for each other.
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = NORMAL")

    def _number(self, query: str) -> int:
        return int(self._writer.execute(query).fetchone()[0])


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Make the folder and keep others from opening the cache in it for as long as the block runs.

    SQLite does not wait for whoever else is about to turn the same database to WAL mode.

    Raises:
        CacheError: If the folder cannot be made or written to.
    """
    with ExitStack() as undo:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder / "answers.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            undo.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise CacheError(folder, f"cannot be made or written to ({error.strerror})") from error
        yield


def key_of(request: Request, identity: str) -> bytes:
    """Return what a request to a model is found by; its stage and name in the run do not matter.

    Args:
        request: What is asked.
        identity: Of the model, see :class:`asyncgen.endpoints.base.Endpoint`.
    """
    who = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).digest()
    return hashlib.sha256(who + request_digest(request)).digest()
