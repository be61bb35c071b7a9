"""A run: its folder, its journal and its fold, and one session of work on them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from asyncgen.dataset import write_json_lines
from asyncgen.engine import Engine, EngineOptions, Lane, RateLimits, RetryPolicy
from asyncgen.journal import Journal, JournalReader, RunLock
from asyncgen.pipeline.agenda import Agenda
from asyncgen.pipeline.fold import Fold
from asyncgen.pipeline.harvest import harvest
from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.seeds import digest, packaged, read_few_shot, read_seed_tasks
from asyncgen.pipeline.status import Status, status_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from asyncgen.endpoints.base import Endpoint
    from asyncgen.engine import EngineSnapshot, Source
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.records import Answer
    from asyncgen.settings import Settings

__all__ = ["Run", "load_fold", "with_seeds"]


def with_seeds(settings: Settings) -> Settings:
    """Return the settings with the file of seed tasks named and what it holds frozen.

    Raises:
        SeedError: If it cannot be read.
    """
    path = Path(settings.seeds) if settings.seeds else packaged("seed_tasks.jsonl")
    return msgspec.structs.replace(settings, seeds_sha256=digest(path))


def load_fold(folder: RunFolder) -> tuple[Settings, Fold]:
    """Replay a run from its folder, changing nothing; another process may be at work on it.

    Raises:
        RunFolderError: If there is no run here, or it is damaged.
        SeedError: If its seeds are gone or have changed.
    """
    settings = folder.read_settings()
    fold, _ = _empty(settings)
    for answer in JournalReader(folder.journal):
        fold.commit(answer)
    return settings, fold


def _empty(settings: Settings) -> tuple[Fold, PromptBook]:
    path = Path(settings.seeds) if settings.seeds else packaged("seed_tasks.jsonl")
    seeds = read_seed_tasks(path, at_least=settings.demonstrations)
    prompts = PromptBook(settings, read_few_shot())
    return Fold(settings, seeds, prompts), prompts


@dataclass(slots=True, eq=False)
class Run:
    """A run that this process holds.

    Attributes:
        resumed: Answers that were replayed from earlier sessions.
        started: Reading of the monotonic clock when this session began, in seconds.
    """

    folder: RunFolder
    settings: Settings
    fold: Fold
    agenda: Agenda
    journal: Journal
    resumed: int
    started: float
    engine: Engine | None = None
    stopped: bool = False

    @classmethod
    @contextmanager
    def opened(cls, folder: RunFolder, settings: Settings) -> Generator[Run]:
        """Hold a run folder, freeze the settings and replay the journal.

        Raises:
            RunFolderError: If the folder is not writable, in use, or of other settings.
            SeedError: If the seeds are unreadable, malformed or too few.
        """
        settings = with_seeds(settings)
        fold, prompts = _empty(settings)
        folder.make()
        with RunLock(folder.path):
            folder.freeze(settings)
            with Journal(folder.journal) as journal:
                resumed = 0
                for answer in journal.replay():
                    fold.commit(answer)
                    resumed += 1
                agenda = Agenda(settings, fold, prompts)
                yield cls(folder, settings, fold, agenda, journal, resumed, time.monotonic())

    async def work(self, endpoints: Sequence[Endpoint], source: Source | None = None) -> None:
        """Ask until the source is finished, :meth:`stop` is called or an error ends it.

        Args:
            endpoints: Whom to ask, opened.
            source: What to ask, instead of all that the target needs.

        Raises:
            EndpointRefusedError: If an endpoint refuses for good.
            RunPausedError: If no answer can be had for now, or none is of use.
            RunFolderError: If an answer could not be written.
        """
        settings, now = self.settings, time.monotonic()
        lanes = [
            Lane(endpoint, RateLimits(rpm=settings.rpm, tpm=settings.tpm, now=now))
            for endpoint in endpoints
        ]
        options = EngineOptions(
            max_in_flight=settings.max_in_flight,
            retry=RetryPolicy(max_attempts=settings.max_attempts),
        )
        self.engine = Engine(lanes, self._deliver, options)
        if self.stopped:
            return
        await self.engine.run(self.agenda if source is None else source)

    def stop(self) -> None:
        """Launch nothing more; :meth:`work` returns when the air is clear."""
        self.stopped = True
        if self.engine is not None:
            self.engine.stop()

    def write(self) -> int:
        """Write the dataset and what was rejected; return the number of tasks."""
        brought_in = harvest(self.fold, self.settings.target)
        write_json_lines(self.folder.rejected, brought_in.rejections)
        return write_json_lines(self.folder.dataset, brought_in.tasks)

    def status(self) -> Status:
        """Return where the run stands."""
        return status_of(self.settings, self.fold)

    def engine_snapshot(self) -> EngineSnapshot | None:
        """Return what the engine is doing, ``None`` before it starts."""
        return None if self.engine is None else self.engine.snapshot()

    async def _deliver(self, answer: Answer) -> None:
        await self.journal.append(answer)
        self.fold.commit(answer)
