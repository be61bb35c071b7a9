"""A run as it stands on disk, read once and changed by nothing here."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from asyncgen.errors import RunFolderError
from asyncgen.journal import JournalReader
from asyncgen.pipeline.folder import RunFolder
from asyncgen.pipeline.run import load_fold, seeds_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asyncgen.pipeline.fold import Fold
    from asyncgen.records import Answer, SeedTask
    from asyncgen.settings import Settings

__all__ = ["RunRead", "read_runs"]


@dataclass(frozen=True, slots=True)
class RunRead:
    """A run, replayed.

    Attributes:
        name: What tells it from the others that are read with it.
        answers: Those that the fold holds, in the order of their commits.
    """

    name: str
    path: Path
    settings: Settings
    fold: Fold
    seeds: tuple[SeedTask, ...]
    answers: tuple[Answer, ...]


def read_runs(paths: Sequence[Path]) -> list[RunRead]:
    """Read runs, finished or not; other processes may be at work on them.

    Raises:
        RunFolderError: If there is no run, it is damaged, or nothing was answered yet.
        SeedError: If its seeds are gone or have changed.
        CorpusError: If what it excludes is gone or has changed.
    """
    return [_read(path, name) for path, name in zip(paths, _names(paths), strict=True)]


def _read(path: Path, name: str) -> RunRead:
    folder = RunFolder(path)
    settings, fold = load_fold(folder)
    count = sum(fold.counts.answers.values())
    if not count:
        raise RunFolderError(path, "nothing was answered yet, so there is nothing to report")
    # A run at work has more by now: what the fold does not hold is left for the next report.
    answers = tuple(islice(JournalReader(folder.journal), count))
    return RunRead(name, path, settings, fold, tuple(seeds_of(folder)), answers)


def _names(paths: Sequence[Path]) -> list[str]:
    """Return the folders' names, their whole paths where two have the same."""
    names = [path.resolve().name for path in paths]
    return [
        name if names.count(name) == 1 else str(path)
        for path, name in zip(paths, names, strict=True)
    ]
