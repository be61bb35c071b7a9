"""The whole way from run folders to a page and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.errors import MissingExtraError
from asyncgen.report.figures.files import can_draw_png, write_figures
from asyncgen.report.figures.gallery import gallery
from asyncgen.report.measures.measures import Measures, measure
from asyncgen.report.measures.verbs import load_parser
from asyncgen.report.page.page import render
from asyncgen.report.reading import read_runs
from asyncgen.report.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Outcome", "make_report"]


class Outcome(Struct, frozen=True, kw_only=True):
    """What was made.

    Attributes:
        size: Of the page, in bytes.
        figures: Files, if a folder for them was named.
        missing: What could not be made, and what to install for it; one line each.
    """

    page: Path
    size: int
    runs: tuple[Measures, ...]
    figures: tuple[Path, ...]
    missing: tuple[str, ...]


def make_report(paths: Sequence[Path], page: Path, figures: Path | None) -> Outcome:
    """Read runs, measure them, and write a page and the files of its figures.

    Args:
        paths: Run folders.
        page: HTML file to write.
        figures: Folder for the figures; ``None`` for none.

    Raises:
        RunFolderError: If there is no run, or a folder cannot be made.
        CorpusError: If a file cannot be written.
        SeedError: If a run's seeds are gone or have changed.
    """
    read = read_runs(paths)
    missing: list[str] = []
    try:
        parser = load_parser()
    except MissingExtraError as error:
        parser = None
        missing.append(str(error))
    runs = tuple(measure(run, parser) for run in read)
    drawn = gallery(runs)
    text = render(runs, drawn, missing=" ".join(missing)).encode("utf-8", "replace")
    write_whole(page, text)
    written = write_figures(figures, drawn.figures) if figures is not None else []
    if figures is not None and not can_draw_png():
        missing.append(str(MissingExtraError("PNG beside SVG and CSV", "report")))
    return Outcome(
        page=page, size=len(text), runs=runs, figures=tuple(written), missing=tuple(missing)
    )
