"""What a run's journal holds, read from a copy: looking must not mend what a crash left."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from asyncgen.endpoints.openai_wire import body_of
from asyncgen.endpoints.simulated.chance import content_key
from asyncgen.endpoints.wire import Dialect
from asyncgen.journal import JournalReader

if TYPE_CHECKING:
    from asyncgen.records import Answer

__all__ = ["Journaled", "read_journal"]

_DIALECT = Dialect(model="simulated")


@dataclass(frozen=True)
class Journaled:
    """The answers of a journal.

    Attributes:
        answers: In the order of their commits: hash of the request's content, as the provider
            logs it, and the answer's text.
    """

    answers: tuple[tuple[str, str], ...] = ()

    @property
    def contents(self) -> frozenset[str]:
        """The hashes alone."""
        return frozenset(content for content, _ in self.answers)

    def begins_with(self, earlier: Journaled) -> bool:
        """Whether all that an earlier reading found is there, in its order."""
        return self.answers[: len(earlier.answers)] == earlier.answers


def read_journal(path: Path, *, wal_bytes: int | None = None) -> Journaled:
    """Read a journal that nobody writes at present.

    Args:
        path: The database; nothing is found where it is missing, or not yet a journal.
        wal_bytes: Read no more than so much of the write-ahead log.
    """
    with TemporaryDirectory(prefix="torture-") as folder:
        copy = Path(folder, "journal.db")
        wal = Path(folder, "journal.db-wal")
        try:
            shutil.copyfile(path, copy)
        except FileNotFoundError:
            return Journaled()
        with suppress(FileNotFoundError):
            shutil.copyfile(path.with_name(wal.name), wal)
            if wal_bytes is not None:
                with wal.open("r+b") as stream:
                    stream.truncate(wal_bytes)
        if not copy.stat().st_size and not (wal.exists() and wal.stat().st_size):
            return Journaled()  # made a moment before the kill
        return Journaled(tuple(_known(answer) for answer in JournalReader(copy)))


def _known(answer: Answer) -> tuple[str, str]:
    request = answer.request
    key = content_key(request.prompt.api, body_of(request, _DIALECT))
    return f"{key:016x}", answer.completion.text
