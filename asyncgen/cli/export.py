"""``asyncgen export``: a run's dataset for trainers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["export"]


def export(
    run_dir: Annotated[Path, typer.Argument(help="The run folder.")],
    *,
    form: Annotated[str, typer.Option("--format", help="jsonl: one task a line.")] = "jsonl",
    out: Annotated[
        Path | None, typer.Option(help="File to write; '-' or nothing for standard output.")
    ] = None,
) -> None:
    """Write the tasks of a run, finished or not.

    Example: asyncgen export runs/demo --format jsonl --out tasks.jsonl
    """
    from asyncgen.dataset import json_line, write_json_lines
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.pipeline.harvest import harvest
    from asyncgen.pipeline.run import load_fold

    if form != "jsonl":
        raise typer.BadParameter(f"'{form}' is no format; there is: jsonl", param_hint="--format")
    settings, fold = load_fold(RunFolder(run_dir))
    tasks = harvest(fold, settings.target).tasks
    if out is None or str(out) == "-":
        stream = typer.get_binary_stream("stdout")
        for task in tasks:
            stream.write(json_line(task))
        stream.flush()
        return
    written = write_json_lines(out, tasks)
    typer.echo(f"{out}: {written} tasks", err=True)
