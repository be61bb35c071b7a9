"""A run: its folder, its journal and its fold, and one session of work on them."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from asyncgen.dataset import write_json_lines
from asyncgen.errors import SeedError
from asyncgen.journal import JournalReader
from asyncgen.pipeline.agenda import Agenda
from asyncgen.pipeline.exclusion import read_excluded, with_excluded
from asyncgen.pipeline.fold import Fold
from asyncgen.pipeline.harvest import harvest
from asyncgen.pipeline.kernels import Kernels
from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.seeds import digest, packaged, read_few_shot, read_seed_tasks
from asyncgen.pipeline.status import Status, status_of
from asyncgen.pipeline.texts import read_texts, with_texts
from asyncgen.survey.holding import holding
from asyncgen.survey.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from asyncgen.endpoints.base import Endpoint
    from asyncgen.engine import Source
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.records import Answer, SeedTask
    from asyncgen.settings import Settings

__all__ = ["Run", "empty_fold", "load_fold", "seeds_of", "with_seeds", "write_files"]


def with_seeds(settings: Settings, folder: RunFolder | None) -> tuple[Settings, Path]:
    """Return the settings with what the seed tasks are frozen, and the file that holds them.

    That is the run's own copy as soon as it has begun, unless a file is named that is not the
    one it was copied from.

    Raises:
        SeedError: If it cannot be read.
    """
    path = Path(settings.seeds) if settings.seeds else packaged("seed_tasks.jsonl")
    if folder is not None and folder.seeds.is_file() and folder.settings.is_file():
        begun = folder.read_settings()
        if begun.seeds == settings.seeds:
            path = folder.seeds
            if digest(path) != begun.seeds_sha256:
                raise SeedError(path, "changed since the run began: put the old one back")
    return msgspec.structs.replace(settings, seeds_sha256=digest(path)), path


def load_fold(folder: RunFolder) -> tuple[Settings, Fold]:
    """Replay a run from its folder, changing nothing; another process may be at work on it.

    Raises:
        RunFolderError: If there is no run here, or it is damaged or of other seeds.
        SeedError: If its seeds are gone or have changed.
        CorpusError: If what it excludes is gone or has changed.
    """
    settings, seeds = with_seeds(folder.read_settings(), folder)
    folder.compare(settings)
    fold, _ = empty_fold(settings, seeds)
    for answer in JournalReader(folder.journal):
        fold.commit(answer)
    return settings, fold


def seeds_of(folder: RunFolder) -> list[SeedTask]:
    """Return the seed tasks of a run.

    Raises:
        RunFolderError: If there is no run here, or it is of other seeds.
        SeedError: If they are gone or have changed.
    """
    settings, seeds = with_seeds(folder.read_settings(), folder)
    folder.compare(settings)
    return read_seed_tasks(seeds, at_least=settings.demonstrations)


def empty_fold(settings: Settings, seeds: Path) -> tuple[Fold, PromptBook]:
    """Return the state of a run before its first answer, and how it asks.

    Raises:
        SeedError: If the seeds are unreadable, malformed or too few.
        CorpusError: If what it excludes is gone or has changed.
    """
    tasks = read_seed_tasks(seeds, at_least=settings.demonstrations)
    prompts = PromptBook(settings, read_few_shot())
    fold = Fold(settings, tasks, prompts, read_excluded(settings), texts=read_texts(settings))
    return fold, prompts


def write_files(folder: RunFolder, settings: Settings, fold: Fold) -> int:
    """Write the dataset and what was rejected; return the number of tasks.

    Raises:
        RunFolderError: If they cannot be written.
    """
    brought_in = harvest(fold, settings.target)
    write_json_lines(folder.rejected, brought_in.rejections)
    return write_json_lines(folder.dataset, brought_in.tasks)


def _freeze(folder: RunFolder, settings: Settings, seeds: Path) -> None:
    """Write down what the run follows from, its journal aside."""
    folder.freeze(settings)
    if not folder.seeds.is_file():
        folder.keep_seeds(seeds.read_bytes())


@dataclass(slots=True, eq=False)
class Run:
    """A run that this process holds.

    Attributes:
        resumed: Answers that were replayed from earlier sessions.
        started: Reading of the monotonic clock when this session began, in seconds.
        adjusted: Whether its settings were changed while it worked.
    """

    folder: RunFolder
    settings: Settings
    fold: Fold
    agenda: Agenda
    session: Session
    kernels: Kernels
    resumed: int
    started: float
    adjusted: bool = False

    @classmethod
    @contextmanager
    def opened(cls, folder: RunFolder, settings: Settings) -> Generator[Run]:
        """Hold a run folder, freeze the settings and replay the journal.

        Raises:
            RunFolderError: If the folder is not writable, in use, or of other settings.
            SeedError: If the seeds are unreadable, malformed or too few.
            CorpusError: If what is to be excluded cannot be read.
            CacheError: If the shared cache cannot be used.
        """
        settings, seeds = with_seeds(settings, folder)
        settings = with_texts(with_excluded(settings))
        fold, prompts = empty_fold(settings, seeds)
        kernels = Kernels(fold.prepare)

        async def act(answer: Answer) -> None:
            await kernels.loaded()
            fold.commit(answer)

        with holding(folder, settings, lambda: folder.compare(settings)) as (journal, cache):
            resumed, spent = 0, journal.losses()
            for answer in journal.replay():
                fold.commit(answer)
                resumed += 1
                spent += answer.completion.spent
            _freeze(folder, settings, seeds)
            agenda = Agenda(settings, fold, prompts)
            session = Session(journal, cache, spent, act)
            started = time.monotonic()
            yield cls(folder, settings, fold, agenda, session, kernels, resumed, started)

    async def work(
        self,
        endpoints: Sequence[Endpoint],
        say: Callable[[str], None],
        source: Source | None = None,
    ) -> None:
        """Ask until the source is finished, the session is stopped or an error ends it.

        Args:
            endpoints: Open, in the order of the settings' lanes.
            say: Told what becomes of an endpoint, for the person who waits.
            source: What to ask, instead of all that the target needs.

        Raises:
            EndpointRefusedError: If an endpoint refuses for good.
            RunPausedError: If no answer can be had for now, or none is of use.
            RunFolderError: If an answer could not be written.
        """
        loading = asyncio.ensure_future(self.kernels.load_soon())
        try:
            asked = self.agenda if source is None else source
            await self.session.work(self.settings, endpoints, asked, say)
        finally:
            loading.cancel()

    def write(self) -> int:
        """Write the dataset and what was rejected; return the number of tasks."""
        return write_files(self.folder, self.settings, self.fold)

    def status(self) -> Status:
        """Return where the run stands."""
        return status_of(self.settings, self.fold)
