"""``asyncgen report``: one page about a run, or about several side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from asyncgen.report.job import Outcome

__all__ = ["report"]

_MOST = 6
"""Runs that can be told apart by colour."""

_OUT = (
    "HTML file to write; '-' for standard output. Default: report.html in the run folder, or "
    "comparison.html in the first of several."
)


def report(
    run_dirs: Annotated[
        list[Path], typer.Argument(metavar="RUN_DIR", help="Run folders, up to six.")
    ],
    *,
    out: Annotated[Path | None, typer.Option(help=_OUT)] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Folder for each figure as SVG, PNG and CSV.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the measures as one JSON object as well.")
    ] = False,
) -> None:
    """Write one HTML file about a run: figures, what was dropped, costs, all tasks.

    It needs no network when it is opened. Runs may be unfinished or at work;
    several are shown over each other.

    Example: asyncgen report runs/demo
    """
    from asyncgen.errors import SettingsError
    from asyncgen.report.job import make_report

    if len(run_dirs) > _MOST:
        raise SettingsError(f"{len(run_dirs)} runs: a report shows six at the most")
    if len({path.resolve() for path in run_dirs}) < len(run_dirs):
        raise SettingsError("the same run folder is named twice")
    if as_json and str(out) == "-":
        raise SettingsError("--json and the page cannot both go to standard output")
    usual = "report.html" if len(run_dirs) == 1 else "comparison.html"
    outcome = make_report(run_dirs, out or run_dirs[0] / usual, figures)
    for line in outcome.missing:
        typer.echo(f"asyncgen: left out: {line}", err=True)
    if str(outcome.page) == "-":
        return
    if as_json:
        from asyncgen.cli.summary import as_json_line

        typer.echo(as_json_line(_summary(outcome)))
        return
    for run in outcome.runs:
        state = run.status
        typer.echo(f"{run.name}: {state.tasks:,} of {state.target:,} tasks")
    if figures is not None:
        typer.echo(f"{figures}: {len(outcome.figures)} files")
    typer.echo(f"{outcome.page}: {outcome.size / 1e6:.1f} MB; open it in a browser")


def _summary(outcome: Outcome) -> dict[str, Any]:
    from asyncgen.report.measures.outline import outline

    return {
        "report": str(outcome.page),
        "bytes": outcome.size,
        "figures": [str(path) for path in outcome.figures],
        "missing": list(outcome.missing),
        "runs": [outline(run) for run in outcome.runs],
    }
