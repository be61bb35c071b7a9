"""The folder of a study, and what is written into it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.errors import RunFolderError
from asyncgen.journal import RunLock
from asyncgen.rate.figures import figures_of
from asyncgen.rate.page import results_page
from asyncgen.rate.results import PLAN, results_of
from asyncgen.rate.store import RatingStore
from asyncgen.rate.words import markdown
from asyncgen.report.figures.files import write_figures
from asyncgen.report.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from asyncgen.rate.responses import Study
    from asyncgen.rate.results import Results
    from asyncgen.statistics.bootstrap import Resampling

__all__ = ["Written", "database", "opened", "write_results"]


class Written(Struct, frozen=True):
    """What was found, and the files that tell it."""

    results: Results
    files: tuple[Path, ...]


def database(folder: Path) -> Path:
    """Return the file that holds a study."""
    return folder / "ratings.db"


@contextmanager
def opened(
    folder: Path, study: Study | None, seed: int | None
) -> Generator[tuple[RatingStore, int]]:
    """Hold a study for this process, and yield it with how many responses were added.

    Args:
        folder: Made if there is something to add.
        study: What to add.
        seed: Of the raters' orders, if it is to be another than it was.

    Raises:
        RunFolderError: If another process holds it, it cannot be made or written, it has none of
            a study, or what it has contradicts what is given.
    """
    if study is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunFolderError(folder, f"cannot be made ({error.strerror})") from error
    elif not database(folder).exists():
        raise RunFolderError(folder, "no study here: name files of responses")
    with RunLock(folder), RatingStore(database(folder), writable=True) as store:
        added = store.add(study) if study is not None else 0
        if seed is not None:
            store.set_seed(seed)
        yield store, added


def write_results(folder: Path, plan: Resampling = PLAN) -> Written:
    """Measure a study as far as it is, and write `results.html`, `results.md` and the figures.

    Raises:
        RunFolderError: If there is no study, or the folder of figures cannot be made.
        CorpusError: If a file cannot be written.
    """
    with RatingStore(database(folder), writable=False) as store:
        results = results_of(store, plan)
    figures = figures_of(results)
    names = [f"figures/{figure.name}.svg" for figure in figures]
    written = [folder / "results.html", folder / "results.md"]
    write_whole(written[0], results_page(results, figures).encode("utf-8", "replace"))
    write_whole(written[1], markdown(results, names).encode("utf-8", "replace"))
    # Last: a picture moves into its file.
    written += write_figures(folder / "figures", figures) if figures else []
    return Written(results, tuple(written))
