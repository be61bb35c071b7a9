"""A run: its folder, its journal and its fold, and one session of work on them."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from asyncgen.cache import AnswerCache, Sharing
from asyncgen.dataset import write_json_lines
from asyncgen.engine import Engine, EngineOptions, Lane, Limits, RetryPolicy
from asyncgen.errors import RunFolderError, SeedError
from asyncgen.journal import Journal, JournalReader, RunLock
from asyncgen.pipeline.agenda import Agenda
from asyncgen.pipeline.exclusion import read_excluded, with_excluded
from asyncgen.pipeline.fold import Fold
from asyncgen.pipeline.harvest import harvest
from asyncgen.pipeline.kernels import Kernels
from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.seeds import digest, packaged, read_few_shot, read_seed_tasks
from asyncgen.pipeline.status import Status, status_of
from asyncgen.pipeline.texts import read_texts, with_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from asyncgen.endpoints.base import Endpoint
    from asyncgen.engine import EngineSnapshot, Memory, Source
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


def _check_belongs(folder: RunFolder, journal: Journal) -> None:
    """Refuse answers without the settings that they belong to.

    The journal is there before the settings: it is empty then, and where there are settings but
    no journal it was lost.
    """
    if not folder.settings.is_file() and next(journal.replay(), None) is not None:
        raise RunFolderError(
            folder.path,
            "settings.toml is missing, which the answers in journal.db belong to: put it back, "
            "or choose another run folder",
        )


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
        spent: US dollars that those cost, lost attempts at them included.
        started: Reading of the monotonic clock when this session began, in seconds.
        stopped: Whether nothing more is to be launched.
        adjusted: Whether its settings were changed while it worked.
    """

    folder: RunFolder
    settings: Settings
    fold: Fold
    agenda: Agenda
    journal: Journal
    cache: AnswerCache | None
    resumed: int
    spent: float
    started: float
    engine: Engine | None = None
    stopped: bool = False
    adjusted: bool = False
    _lost_on_the_way: float = 0.0
    _kernels: Kernels = field(init=False)

    def __post_init__(self) -> None:
        self._kernels = Kernels(self.fold.prepare)

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
        folder.make()
        with ExitStack() as stack:
            stack.enter_context(RunLock(folder.path))
            folder.compare(settings)
            folder.check_complete()
            cache: AnswerCache | None = None
            if settings.cache:
                cache = stack.enter_context(AnswerCache(Path(settings.cache)))
            folder.sweep()
            journal = stack.enter_context(Journal(folder.journal))
            _check_belongs(folder, journal)
            resumed, spent = 0, journal.losses()
            for answer in journal.replay():
                fold.commit(answer)
                resumed += 1
                spent += answer.completion.spent
            _freeze(folder, settings, seeds)
            agenda = Agenda(settings, fold, prompts)
            started = time.monotonic()
            yield cls(folder, settings, fold, agenda, journal, cache, resumed, spent, started)

    async def work(
        self,
        endpoints: Sequence[Endpoint],
        say: Callable[[str], None],
        source: Source | None = None,
    ) -> None:
        """Ask until the source is finished, :meth:`stop` is called or an error ends it.

        Args:
            endpoints: Open, in the order of the settings' lanes.
            say: Told what becomes of an endpoint, for the person who waits.
            source: What to ask, instead of all that the target needs.

        Raises:
            EndpointRefusedError: If an endpoint refuses for good.
            RunPausedError: If no answer can be had for now, or none is of use.
            RunFolderError: If an answer could not be written.
        """
        self.journal.keep_room(self.settings.max_in_flight)
        with ExitStack() as stack:
            memory = stack.enter_context(Sharing(self.cache, say)) if self.cache else None
            self.engine = engine = self._engine(endpoints, say, memory)
            if self.stopped:
                return
            loading = asyncio.ensure_future(self._kernels.load_soon())
            try:
                await engine.run(self.agenda if source is None else source)
                await self.journal.settle()
            finally:
                loading.cancel()
                # What came before an answer stands with it, the rest with the session.
                self.journal.lose(engine.snapshot().lost - self._lost_on_the_way)

    def stop(self) -> None:
        """Launch nothing more; :meth:`work` returns when the air is clear."""
        self.stopped = True
        if self.engine is not None:
            self.engine.stop()

    def write(self) -> int:
        """Write the dataset and what was rejected; return the number of tasks."""
        return write_files(self.folder, self.settings, self.fold)

    def status(self) -> Status:
        """Return where the run stands."""
        return status_of(self.settings, self.fold)

    def engine_snapshot(self) -> EngineSnapshot | None:
        """Return what the engine is doing, ``None`` before it starts."""
        return None if self.engine is None else self.engine.snapshot()

    def _engine(
        self, endpoints: Sequence[Endpoint], say: Callable[[str], None], memory: Memory | None
    ) -> Engine:
        settings = self.settings
        options = EngineOptions(
            max_in_flight=settings.max_in_flight,
            retry=RetryPolicy(max_attempts=settings.max_attempts),
            max_cost=settings.max_cost,
            spent=self.spent,
            memory=memory,
            say=say,
        )
        return Engine(_lanes(settings, endpoints), self._deliver, options)

    async def _deliver(self, answer: Answer) -> None:
        if answer.completion.recalled:
            # Not paid for, so not waited for; what follows from it comes after it in the journal.
            self.journal.note(answer)
        else:
            await self.journal.append(answer)
        self._lost_on_the_way += answer.completion.lost_cost
        await self._kernels.loaded()
        self.fold.commit(answer)


def _lanes(settings: Settings, endpoints: Sequence[Endpoint]) -> list[Lane]:
    return [
        Lane(
            endpoint,
            Limits(lane.rpm, lane.tpm, lane.input_tpm, lane.output_tpm, lane.rpd),
            weight=lane.weight,
            max_in_flight=lane.max_in_flight,
            stages=frozenset(lane.stages) or None,
        )
        for endpoint, lane in zip(endpoints, settings.lanes(), strict=True)
    ]
