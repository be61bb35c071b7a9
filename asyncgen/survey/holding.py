"""Holding a folder for this process: its lock, the shared cache, its journal."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from asyncgen.cache import AnswerCache
from asyncgen.journal import Journal, RunLock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from asyncgen.settings import Settings
    from asyncgen.survey.folder import JournalFolder

__all__ = ["holding"]


@contextmanager
def holding(
    folder: JournalFolder, settings: Settings, compare: Callable[[], None]
) -> Generator[tuple[Journal, AnswerCache | None]]:
    """Open a folder's journal, and the cache that the settings name, for one process alone.

    Args:
        folder: Made unless it is there.
        settings: They name the cache.
        compare: Refuses settings that contradict the folder's, before anything is written.

    Raises:
        RunFolderError: If the folder is not writable, in use, incomplete or of other settings.
        CacheError: If the shared cache cannot be used.
    """
    folder.make()
    with ExitStack() as stack:
        stack.enter_context(RunLock(folder.path))
        compare()
        folder.check_complete()
        cache: AnswerCache | None = None
        if settings.cache:
            cache = stack.enter_context(AnswerCache(Path(settings.cache)))
        folder.sweep()
        journal = stack.enter_context(Journal(folder.journal))
        folder.check_belongs(has_answers=next(journal.replay(), None) is not None)
        yield journal, cache
