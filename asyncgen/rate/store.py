"""The file that holds a study and its ratings: a SQLite database that only grows.

A rating is a row, taking it back is another; what holds is the latest of a rater for a response.
So undoing loses nothing either. A row is on the disk when the call that wrote it returns.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from asyncgen.errors import RunFolderError
from asyncgen.journal import transaction
from asyncgen.rate.responses import RatedTask, Response, Study

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["Rater", "Rating", "RatingStore"]

VERSION = 1
"""Number of the layout, kept as SQLite's ``user_version``."""

_APPLICATION = 0x61736772
"""What SQLite's ``application_id`` says of a file that is ours."""

_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE tasks (
    id          TEXT PRIMARY KEY,
    instruction TEXT NOT NULL,
    input       TEXT NOT NULL,
    reference   TEXT NOT NULL,
    application TEXT NOT NULL
) STRICT;
CREATE TABLE responses (
    number INTEGER PRIMARY KEY,
    task   TEXT NOT NULL REFERENCES tasks(id),
    model  TEXT NOT NULL,
    text   TEXT NOT NULL,
    UNIQUE (task, model)
) STRICT;
CREATE TABLE raters (
    number INTEGER PRIMARY KEY,
    key    TEXT NOT NULL,         -- what the name is known by, however it is written
    kind   TEXT NOT NULL,         -- person or model
    name   TEXT NOT NULL,
    UNIQUE (key, kind)
) STRICT;
CREATE TABLE ratings (
    number   INTEGER PRIMARY KEY, -- order of commit
    rater    INTEGER NOT NULL REFERENCES raters(number),
    response INTEGER NOT NULL REFERENCES responses(number),
    level    TEXT,                -- NULL: taken back
    rated_at REAL NOT NULL        -- Unix time, seconds
) STRICT
"""

Kind = Literal["person", "model"]


class Rater(msgspec.Struct, frozen=True):
    """Somebody who rates."""

    number: int
    name: str
    kind: Kind


class Rating(msgspec.Struct, frozen=True):
    """A rating that holds."""

    rater: int
    response: int
    level: str


class RatingStore:
    """Tasks, responses, raters and ratings in one file.

    Args:
        path: The database.
        writable: Whether it is made if absent, and written to.

    Raises:
        RunFolderError: If it is damaged, of another layout, of something else, or absent and not
            to be made.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        if not writable and not path.exists():
            raise RunFolderError(path.parent, "no study here: name files of responses")
        with ExitStack() as undo, self._named("cannot be used"):
            if writable:
                # For the owner's eyes: the token in it opens the page.
                path.touch(mode=0o600)
            mode = "rw" if writable else "ro"
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None
            )
            undo.callback(self._connection.close)
            if writable:
                self._prepare()
            self._check()
            self._undo = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.close()

    def fact(self, name: str) -> str:
        """Return something the study was told or drew once: its `seed`, its `token`."""
        return str(self._all("SELECT value FROM facts WHERE name = ?", name)[0][0])

    def set_seed(self, seed: int) -> None:
        """Key the orders of raters.

        Raises:
            RunFolderError: If somebody has begun under another seed.
        """
        if self.fact("seed") == str(seed):
            return
        if self._all("SELECT 1 FROM raters LIMIT 1"):
            raise RunFolderError(
                self.path.parent,
                f"raters have begun with --seed {self.fact('seed')}; leave the flag out",
            )
        with self._named("the seed cannot be kept"):
            self._connection.execute("UPDATE facts SET value = ? WHERE name = 'seed'", (str(seed),))

    def add(self, study: Study) -> int:
        """Add responses, and return how many were new; those that are there may come again.

        Raises:
            RunFolderError: If one that is there was another text, or its task another.
        """
        before = self._count("responses")
        with self._named("responses cannot be added"), transaction(self._connection):
            known = {task.id: task for task in self.tasks()}
            for task in study.tasks:
                if known.setdefault(task.id, task) != task:
                    raise self._differing(f"task '{task.id}'")
                self._connection.execute(
                    "INSERT OR IGNORE INTO tasks VALUES (?, ?, ?, ?, ?)",
                    msgspec.structs.astuple(task),
                )
            there = {(one.task, one.model): one for one in self.responses().values()}
            for one in study.responses:
                if there.setdefault((one.task, one.model), one) != one:
                    raise self._differing(f"the response of '{one.model}' to task '{one.task}'")
                self._connection.execute(
                    "INSERT OR IGNORE INTO responses (task, model, text) VALUES (?, ?, ?)",
                    msgspec.structs.astuple(one),
                )
        return self._count("responses") - before

    def tasks(self) -> list[RatedTask]:
        """Return the tasks."""
        rows = self._all("SELECT id, instruction, input, reference, application FROM tasks")
        names = RatedTask.__struct_fields__
        return [RatedTask(**dict(zip(names, row, strict=True))) for row in rows]

    def responses(self) -> dict[int, Response]:
        """Return the responses by their numbers."""
        rows = self._all("SELECT number, task, model, text FROM responses ORDER BY number")
        return {row[0]: Response(task=row[1], model=row[2], text=row[3]) for row in rows}

    def raters(self) -> list[Rater]:
        """Return the raters, in the order in which they came."""
        return [Rater(*row) for row in self._all("SELECT number, name, kind FROM raters")]

    def rater(self, key: str, name: str, kind: Kind = "person") -> Rater:
        """Return a rater, new or known.

        Raises:
            RunFolderError: If a new one cannot be kept.
        """
        known = "SELECT number, name, kind FROM raters WHERE key = ? AND kind = ?"
        if not self._all(known, key, kind):
            with self._named("the rater cannot be kept"):
                self._connection.execute(
                    "INSERT OR IGNORE INTO raters (key, kind, name) VALUES (?, ?, ?)",
                    (key, kind, name),
                )
        return Rater(*self._all(known, key, kind)[0])

    def find(self, key: str) -> Rater | None:
        """Return a person who has begun; ``None`` for one who has not."""
        query = "SELECT number, name, kind FROM raters WHERE key = ? AND kind = 'person'"
        return next((Rater(*row) for row in self._all(query, key)), None)

    def rate(self, rater: int, response: int, level: str | None) -> None:
        """Keep a rating, or that it is taken back; what holds already is not written again.

        Raises:
            RunFolderError: If it cannot be written: the disk is full, say.
        """
        self.rate_all(rater, {response: level})

    def rate_all(self, rater: int, levels: Mapping[int, str | None]) -> None:
        """Keep ratings by response, all of them or none.

        Raises:
            RunFolderError: If they cannot be written.
        """
        given, now = self.given(rater), time.time()
        rows = [
            (rater, response, level, now)
            for response, level in levels.items()
            if given.get(response) != level
        ]
        if not rows:
            return
        with self._named("the rating cannot be kept"), transaction(self._connection):
            self._connection.executemany(
                "INSERT INTO ratings (rater, response, level, rated_at) VALUES (?, ?, ?, ?)", rows
            )

    def given(self, rater: int) -> dict[int, str]:
        """Return a rater's ratings that hold, by response, the latest last."""
        rows = self._all(
            "SELECT response, level, max(number) AS latest FROM ratings WHERE rater = ?"
            " GROUP BY response ORDER BY latest",
            rater,
        )
        return {response: level for response, level, _ in rows if level is not None}

    def _prepare(self) -> None:
        with transaction(self._connection):
            if self._number("SELECT count(*) FROM sqlite_schema") == 0:
                for statement in _TABLES.split(";\n"):
                    self._connection.execute(statement)
                self._connection.execute(
                    "INSERT INTO facts VALUES ('token', ?), ('seed', '0')",
                    (secrets.token_urlsafe(18),),
                )
                self._connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._connection.execute(f"PRAGMA user_version = {VERSION}")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a rating that was acknowledged outlives a power cut.
        self._connection.execute("PRAGMA synchronous = FULL")

    def _check(self) -> None:
        if self._number("PRAGMA application_id") != _APPLICATION:
            raise RunFolderError(self.path, "not a study, but a database of something else")
        version = self._number("PRAGMA user_version")
        if version != VERSION:
            raise RunFolderError(
                self.path, f"a study of layout {version}; this asyncgen reads layout {VERSION}"
            )

    def _differing(self, what: str) -> RunFolderError:
        return RunFolderError(
            self.path.parent, f"{what} is there already and differs; choose another --out"
        )

    def _count(self, table: str) -> int:
        return self._number(f"SELECT count(*) FROM {table}")  # noqa: S608 - ours

    def _number(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])

    def _all(self, query: str, *values: object) -> list[Any]:
        with self._named("cannot be read"):
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _named(self, problem: str) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise RunFolderError(self.path, f"{problem} ({error})") from error
