"""Figures as files: SVG, CSV, and PNG where it can be made."""

from __future__ import annotations

from importlib.resources import as_file, files
from importlib.util import find_spec
from typing import TYPE_CHECKING

from asyncgen.errors import MissingExtraError, RunFolderError
from asyncgen.report.figures.figure import as_csv
from asyncgen.report.figures.svg import standalone
from asyncgen.report.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asyncgen.report.figures.figure import Figure

__all__ = ["can_draw_png", "png", "write_figures"]

_ZOOM = 2.0
"""Pixels for each unit of an SVG file."""


def write_figures(folder: Path, figures: Sequence[Figure]) -> list[Path]:
    """Write each figure's SVG and CSV, and its PNG if the extra is installed.

    Raises:
        RunFolderError: If the folder cannot be made.
        CorpusError: If a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFolderError(folder, f"cannot be made ({error.strerror})") from error
    drawn = can_draw_png()
    written: list[Path] = []
    for figure in figures:
        forms = {"svg": standalone(figure).encode(), "csv": as_csv(figure.table).encode()}
        if drawn:
            forms["png"] = png(figure)
        for ending, data in forms.items():
            path = folder / f"{figure.name}.{ending}"
            write_whole(path, data)
            written.append(path)
    return written


def can_draw_png() -> bool:
    """Whether what draws PNG is installed."""
    return find_spec("resvg_py") is not None and find_spec("font_lato") is not None


def png(figure: Figure) -> bytes:
    """Draw a figure, in light colours, as PNG.

    Raises:
        MissingExtraError: If what draws it is not installed.
    """
    try:
        import font_lato
        import resvg_py
    except ImportError as error:
        raise MissingExtraError("PNG", "report") from error
    # A font of its own: a server often has none, and then the words would be missing.
    with as_file(files(font_lato) / "files") as fonts:
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=standalone(figure, dark=False), zoom=_ZOOM, font_dirs=[str(fonts)]
            )
        )
