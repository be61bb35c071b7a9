"""SQLite's write-ahead log: where its commits end, and how a crash may leave its last frame.

Layout: https://sqlite.org/fileformat2.html, section 4; the index in ``-shm``:
https://sqlite.org/walformat.html.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import random
    from pathlib import Path

__all__ = ["Cut", "Wal", "damage", "read_wal"]

Cut = Literal["page", "half", "garbage"]
"""The last frame is missing, or half of its page, or part of the page is other bytes."""

_HEADER = 32
_FRAME = 24
_BACKFILLED = 128  # nBackfillAttempted, in the -shm file


@dataclass(frozen=True)
class Wal:
    """The frames that count.

    Attributes:
        page: Bytes of a page.
        commits: Where each transaction's last frame ends, in bytes from the beginning.
        is_ahead: Whether the last transaction is in this file only: once a checkpoint has begun
            to copy it, the disk has acknowledged it, and no power cut takes it away.
    """

    page: int
    commits: tuple[int, ...]
    is_ahead: bool

    @property
    def before_last(self) -> int:
        """Where the last transaction but one ends."""
        return self.commits[-2] if len(self.commits) > 1 else _HEADER


def read_wal(path: Path) -> Wal | None:
    """Return the log of a journal that nobody writes at present; ``None`` if it holds no commit."""
    wal = path.with_name(f"{path.name}-wal")
    content = wal.read_bytes() if wal.exists() else b""
    if len(content) < _HEADER:
        return None
    (page,) = struct.unpack_from(">I", content, 8)
    salts = content[16:24]
    commits: list[int] = []
    size = _FRAME + page
    for start in count(_HEADER, size):
        # Frames of an earlier round stand behind those of this one.
        if start + size > len(content) or content[start + 8 : start + 16] != salts:
            break
        if content[start + 4 : start + 8] != b"\0\0\0\0":
            commits.append(start + size)
    if not commits:
        return None
    copied = _copied(path.with_name(f"{path.name}-shm"))
    return Wal(page, tuple(commits), (commits[-1] - _HEADER) // size > copied)


def _copied(index: Path) -> int:
    """Return up to which frame a checkpoint may have copied into the database."""
    content = index.read_bytes() if index.exists() else b""
    if len(content) < _BACKFILLED + 4:
        return 0
    return int(struct.unpack_from("=I", content, _BACKFILLED)[0])


def damage(path: Path, wal: Wal, cut: Cut, rng: random.Random) -> None:
    """Do to the last transaction's last frame what a power cut may have done."""
    frame = wal.commits[-1] - wal.page - _FRAME
    with path.with_name(f"{path.name}-wal").open("r+b") as stream:
        match cut:
            case "page":
                stream.truncate(frame)
            case "half":
                stream.truncate(frame + _FRAME + wal.page // 2)
            case "garbage":
                stream.seek(frame + _FRAME + rng.randrange(wal.page - 256))
                stream.write(rng.randbytes(256))
