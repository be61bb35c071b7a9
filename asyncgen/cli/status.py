"""``asyncgen status``: where a run stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["status"]


def status(
    run_dir: Annotated[Path, typer.Argument(help="The run folder.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show where a run stands; also while it is at work.

    Example: asyncgen status runs/demo
    """
    from asyncgen.cli.ctl import look
    from asyncgen.cli.live import live
    from asyncgen.cli.summary import as_json_line, funnel
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.pipeline.run import load_fold
    from asyncgen.pipeline.status import status_of

    folder = RunFolder(run_dir)
    settings, fold = load_fold(folder)
    state = status_of(settings, fold)
    report = look(run_dir)
    if as_json:
        at_work = {} if report is None else {"live": report}
        typer.echo(as_json_line({"run": str(run_dir), "status": state, **at_work}))
        return
    how = " with a lower --saturation-bound" if state.saturation else ""
    again = "unfinished" + ("" if report else f"; run generate on it again{how} to go on")
    verdict = "complete" if state.complete else again
    typer.echo(f"{run_dir}: {state.tasks} of {state.target} tasks, {verdict}")
    typer.echo(funnel(state))
    if report is not None:
        typer.echo(live(report))
