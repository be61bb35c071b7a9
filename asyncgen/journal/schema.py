"""The journal's tables, and the way to them.

Much is the same for thousands of answers: the fixed part of a prompt, how to
decode, who answered. That is stored once, in ``shared``.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from typing import TYPE_CHECKING

from asyncgen.errors import RunFolderError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["VERSION", "connect", "insert_loss", "losses", "prepare", "problems"]

VERSION = 5
"""Number of the layout, kept as SQLite's ``user_version``."""

_PAGE = 8192
"""Bytes. Answers of 3 kB leave a fifth of pages of 4,096 empty; larger ones are more to write."""

_TABLES = """
CREATE TABLE shared (
    id     INTEGER PRIMARY KEY,
    text   TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE answers (
    number          INTEGER PRIMARY KEY,  -- order of commit
    stage           TEXT NOT NULL,
    key             TEXT NOT NULL,        -- ordinal, or id of the task served
    shown           TEXT NOT NULL,        -- JSON: ids of the tasks in a generation prompt
    request_sha256  BLOB NOT NULL,        -- of prompt and sampling
    prefix          INTEGER NOT NULL REFERENCES shared(id),  -- JSON: the prompt, but for:
    variable        TEXT NOT NULL,
    sampling        INTEGER NOT NULL REFERENCES shared(id),  -- JSON: but for:
    seed            INTEGER,
    text            TEXT NOT NULL,
    finish_reason   TEXT NOT NULL,
    input_tokens    INTEGER NOT NULL,
    output_tokens   INTEGER NOT NULL,
    cached_tokens   INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    cost            REAL,                 -- US dollars; NULL: no price known
    lost_cost       REAL NOT NULL,        -- US dollars, at the worst, for attempts before it
    choice_logprobs TEXT,                 -- JSON
    endpoint        INTEGER NOT NULL REFERENCES shared(id),
    model           INTEGER NOT NULL REFERENCES shared(id),
    started_at      REAL NOT NULL,        -- Unix time, seconds
    seconds         REAL NOT NULL,
    failed_rate     INTEGER NOT NULL,     -- attempts before it that were refused for their rate
    failed_overload INTEGER NOT NULL,     -- for load, or with 5xx
    failed_lost     INTEGER NOT NULL,     -- that were lost: timed out, broken, cut or empty
    failed_other    INTEGER NOT NULL,
    recalled        INTEGER NOT NULL,     -- 1: taken over; others paid tokens and cost
    UNIQUE (stage, key)
) STRICT;
CREATE TABLE losses (  -- of sessions: what attempts whose requests were not answered may have cost
    cost            REAL NOT NULL         -- US dollars, at the worst
) STRICT;
"""


def connect(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Open a journal, making it if it is writable and absent.

    Raises:
        RunFolderError: If it is damaged, of another layout or cannot be opened.
    """
    with ExitStack() as undo:
        try:
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?{_manner(path, writable=writable)}",
                uri=True,
                check_same_thread=False,
                isolation_level=None,
            )
            undo.callback(connection.close)
            if writable:
                prepare(connection)
            _check_layout(connection, path)
            if writable:
                # WAL lets others read meanwhile; FULL makes each commit survive a power cut.
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.DatabaseError as error:
            raise RunFolderError(path, f"the journal cannot be opened: {error}") from error
        undo.pop_all()
    return connection


def _manner(path: Path, *, writable: bool) -> str:
    """Return how SQLite is to open a journal.

    A reader of a database in WAL mode makes two files beside it, unless it may take for
    granted that nobody writes: nobody does where there is no WAL.
    """
    if writable:
        return "mode=rwc"
    return "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty database; leave another as it is."""
    connection.execute(f"PRAGMA page_size = {_PAGE}")
    connection.execute("BEGIN IMMEDIATE")
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if empty:
        for statement in _TABLES.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _check_layout(connection: sqlite3.Connection, path: Path) -> None:
    known = "SELECT count(*) FROM sqlite_schema WHERE name = 'answers'"
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == VERSION and connection.execute(known).fetchone()[0] == 0:
        raise RunFolderError(path, "not a journal, but a database of something else")
    if version != VERSION:
        raise RunFolderError(
            path, f"a journal of layout {version}; this asyncgen reads layout {VERSION}"
        )


def insert_loss(connection: sqlite3.Connection, cost: float) -> None:
    """Insert what a session's attempts may have cost whose requests were not answered in it."""
    connection.execute("INSERT INTO losses (cost) VALUES (?)", (cost,))


def losses(connection: sqlite3.Connection) -> float:
    """Return the sum of those, in US dollars."""
    return float(connection.execute("SELECT total(cost) FROM losses").fetchone()[0])


def problems(connection: sqlite3.Connection) -> list[str]:
    """Return what SQLite finds wrong with the pages, the indices and the references."""
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    lines = [] if found == ["ok"] else [" ".join(line.split()) for line in found]
    return lines + [f"row {row} of {table} names no {parent}" for table, row, parent, _ in orphans]
