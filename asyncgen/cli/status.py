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
    from asyncgen.cli.summary import as_json_line, funnel
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.pipeline.run import load_fold
    from asyncgen.pipeline.status import status_of

    folder = RunFolder(run_dir)
    settings, fold = load_fold(folder)
    state = status_of(settings, fold)
    if as_json:
        typer.echo(as_json_line({"run": str(run_dir), "status": state}))
        return
    verdict = "complete" if state.complete else "unfinished; run generate on it again to go on"
    typer.echo(f"{run_dir}: {state.tasks} of {state.target} tasks, {verdict}")
    typer.echo(funnel(state))
