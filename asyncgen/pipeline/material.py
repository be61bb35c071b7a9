"""What a run has for those who learn from it: its finished tasks and its seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.errors import RunFolderError, SettingsError
from asyncgen.pipeline.harvest import harvest, scoring
from asyncgen.pipeline.run import load_fold, seeds_of
from asyncgen.pipeline.status import status_of

if TYPE_CHECKING:
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.pipeline.status import Status
    from asyncgen.records import SeedTask, Task
    from asyncgen.settings import Settings

__all__ = ["Material", "material_of"]


@dataclass(frozen=True, slots=True)
class Material:
    """What a run holds, and what may be told of it.

    Attributes:
        tasks: The finished ones, in the dataset's order.
        seeds: The seed tasks if they were asked for.
    """

    settings: Settings
    state: Status
    tasks: list[Task]
    seeds: list[SeedTask]


def material_of(
    folder: RunFolder, *, include_seeds: bool, min_score: float | None = None
) -> Material:
    """Replay a run, finished or not; nothing of it changes, and it may be at work.

    Args:
        folder: Of the run.
        include_seeds: Whether its seed tasks are wanted.
        min_score: Instances that its judge gave less are left out.

    Raises:
        RunFolderError: If there is no run, it is damaged, or no task is finished yet.
        SettingsError: If nobody judged the run, or nothing got so much.
        SeedError: If its seeds are gone or have changed.
        CorpusError: If what it excludes is gone or has changed.
    """
    settings, fold = load_fold(folder)
    tasks = harvest(fold, settings.target).tasks
    if min_score is not None:
        if settings.judge is None:
            raise SettingsError("--min-score: nobody judged this run")
        tasks = scoring(tasks, min_score)
        if not tasks and fold.known:
            raise SettingsError(
                f"--min-score {min_score:g}: no task has an instance that got so much"
            )
    if not tasks:
        raise RunFolderError(folder.path, "no finished task yet; run generate on it first")
    seeds = seeds_of(folder) if include_seeds else []
    return Material(settings, status_of(settings, fold), tasks, seeds)
