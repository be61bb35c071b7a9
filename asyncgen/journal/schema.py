"""The journal's tables, and the way of an answer into a row and back.

Most of a prompt is the same for thousands of requests, so the fixed part is
stored once, in ``prefixes``.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import ExitStack
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from asyncgen.errors import RunFolderError
from asyncgen.records import Answer, Completion, Prompt, Request, Sampling, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "VERSION",
    "connect",
    "insert",
    "insert_loss",
    "losses",
    "prepare",
    "read",
    "request_digest",
]

VERSION = 3
"""Number of the layout, kept as SQLite's ``user_version``."""

_TABLES = """
CREATE TABLE prefixes (
    id     INTEGER PRIMARY KEY,
    text   TEXT NOT NULL UNIQUE  -- JSON: a prompt without its variable part
) STRICT;
CREATE TABLE answers (
    number          INTEGER PRIMARY KEY,  -- order of commit
    stage           TEXT NOT NULL,
    key             TEXT NOT NULL,        -- ordinal, or id of the task served
    request_sha256  BLOB NOT NULL,        -- of prompt and sampling
    prefix          INTEGER NOT NULL REFERENCES prefixes(id),
    variable        TEXT NOT NULL,
    sampling        TEXT NOT NULL,        -- JSON
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
    endpoint        TEXT NOT NULL,
    model           TEXT NOT NULL,
    started_at      REAL NOT NULL,        -- Unix time, seconds
    seconds         REAL NOT NULL,
    attempts        INTEGER NOT NULL,
    recalled        INTEGER NOT NULL,     -- 1: from a shared cache; others paid tokens and cost
    UNIQUE (stage, key)
) STRICT;
CREATE TABLE losses (  -- of sessions: what attempts whose requests were not answered may have cost
    cost            REAL NOT NULL         -- US dollars, at the worst
) STRICT;
"""

_INSERT = """
INSERT INTO answers (
    stage, key, request_sha256, prefix, variable, sampling, text, finish_reason,
    input_tokens, output_tokens, cached_tokens, cache_write_tokens, reasoning_tokens,
    cost, lost_cost, choice_logprobs, endpoint, model, started_at, seconds, attempts,
    recalled
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_SELECT = """
SELECT stage, key, prefixes.text, variable, sampling, answers.text, finish_reason,
       input_tokens, output_tokens, cached_tokens, cache_write_tokens, reasoning_tokens,
       cost, lost_cost, choice_logprobs, endpoint, model, started_at, seconds, attempts,
       recalled
FROM answers JOIN prefixes ON prefixes.id = answers.prefix
ORDER BY number
"""


def connect(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Open a journal, making it if it is writable and absent.

    Raises:
        RunFolderError: If it is damaged, of another layout or cannot be opened.
    """
    with ExitStack() as undo:
        try:
            connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
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


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty database; leave another as it is."""
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


def insert(connection: sqlite3.Connection, answer: Answer) -> None:
    """Insert one answer within the open transaction."""
    request, completion = answer.request, answer.completion
    sampling = msgspec.json.encode(request.sampling)
    logprobs = completion.choice_logprobs
    connection.execute(
        _INSERT,
        (
            request.stage,
            request.key,
            _digest(request, sampling),
            _prefix_id(connection, _prefix(request.prompt)),
            request.prompt.variable,
            sampling.decode(),
            completion.text,
            completion.finish_reason,
            *msgspec.structs.astuple(completion.usage),
            completion.cost,
            completion.lost_cost,
            None if logprobs is None else msgspec.json.encode(logprobs).decode(),
            completion.endpoint,
            completion.model,
            completion.started_at,
            completion.seconds,
            completion.attempts,
            completion.recalled,
        ),
    )


def insert_loss(connection: sqlite3.Connection, cost: float) -> None:
    """Insert what a session's attempts may have cost whose requests were not answered in it."""
    connection.execute("INSERT INTO losses (cost) VALUES (?)", (cost,))


def losses(connection: sqlite3.Connection) -> float:
    """Return the sum of those, in US dollars."""
    return float(connection.execute("SELECT total(cost) FROM losses").fetchone()[0])


def read(connection: sqlite3.Connection) -> Iterator[Answer]:
    """Yield the answers in the order of their commits."""
    for row in connection.execute(_SELECT):
        yield _answer(row)


def _answer(row: tuple[Any, ...]) -> Answer:
    (stage, key, prefix, variable, sampling, text, finish_reason), counts = row[:7], row[7:]
    tokens, (cost, lost_cost, logprobs, endpoint, model, *timing) = counts[:5], counts[5:]
    request = Request(
        stage,
        key,
        msgspec.structs.replace(msgspec.json.decode(prefix, type=Prompt), variable=variable),
        msgspec.json.decode(sampling, type=Sampling),
    )
    completion = Completion(
        text=text,
        finish_reason=finish_reason,
        usage=Usage(*tokens),
        endpoint=endpoint,
        model=model,
        cost=cost,
        lost_cost=lost_cost,
        choice_logprobs=None if logprobs is None else msgspec.json.decode(logprobs),
        started_at=timing[0],
        seconds=timing[1],
        attempts=timing[2],
        recalled=bool(timing[3]),
    )
    return Answer(request, completion)


def _prefix(prompt: Prompt) -> str:
    """Return what many prompts share, as JSON."""
    return msgspec.json.encode(msgspec.structs.replace(prompt, variable="")).decode()


def _prefix_id(connection: sqlite3.Connection, text: str) -> int:
    known = connection.execute("SELECT id FROM prefixes WHERE text = ?", (text,)).fetchone()
    if known is not None:
        return int(known[0])
    made = connection.execute("INSERT INTO prefixes (text) VALUES (?)", (text,)).lastrowid
    assert made is not None  # noqa: S101 - an INSERT that succeeded has a row
    return made


def request_digest(request: Request) -> bytes:
    """Return the SHA-256 of what is asked: the prompt and how to decode."""
    return _digest(request, msgspec.json.encode(request.sampling))


def _digest(request: Request, sampling: bytes) -> bytes:
    digest = _prefix_hash(msgspec.structs.replace(request.prompt, variable="")).copy()
    digest.update(b"\0" + request.prompt.variable.encode("utf-8", "surrogatepass"))
    digest.update(b"\0" + sampling)
    return digest.digest()


@lru_cache(maxsize=16)
def _prefix_hash(prompt: Prompt) -> hashlib._Hash:
    """Return the hash begun with what many prompts share: few-shot blocks are long."""
    return hashlib.sha256(_prefix(prompt).encode("utf-8", "surrogatepass"))
