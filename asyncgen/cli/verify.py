"""``asyncgen verify``: whether what a run wrote follows from its journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from asyncgen.pipeline.folder import RunFolder

__all__ = ["verify"]

_AGAINST = "Compare with the dataset of this run instead, both as their journals have it."


def verify(
    run_dir: Annotated[Path, typer.Argument(help="The run folder.")],
    *,
    against: Annotated[Path | None, typer.Option(metavar="OTHER_RUN", help=_AGAINST)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Replay a run, compare with what was written, and show what differs; change nothing.

    The exit code is 0 if all is as it should be, and 1 if not.

    Example: asyncgen verify runs/first
    """
    from asyncgen.pipeline.folder import RunFolder

    folder = RunFolder(run_dir)
    if against is not None:
        return _compare(folder, RunFolder(against), as_json=as_json)
    return _verify(folder, as_json=as_json)


def _verify(folder: RunFolder, *, as_json: bool) -> int:
    import msgspec

    from asyncgen.cli.ctl import look
    from asyncgen.cli.findings import verified
    from asyncgen.cli.summary import as_json_line
    from asyncgen.pipeline.verification import verify as verified_run

    report = look(folder.path)
    process = None if report is None else report.process
    found = verified_run(folder)
    if as_json:
        fields = {"run": str(folder.path), "sound": found.sound, "process": process}
        typer.echo(as_json_line({**fields, **msgspec.structs.asdict(found)}))
    else:
        typer.echo(verified(folder, found, process))
    return 0 if found.sound else 1


def _compare(folder: RunFolder, other: RunFolder, *, as_json: bool) -> int:
    import msgspec

    from asyncgen.cli.findings import compared
    from asyncgen.cli.summary import as_json_line
    from asyncgen.pipeline.verification import compare_runs

    found = compare_runs(folder, other)
    same = found.dataset.identical
    if as_json:
        fields = {"run": str(folder.path), "against": str(other.path), "identical": same}
        typer.echo(as_json_line({**fields, **msgspec.structs.asdict(found)}))
    else:
        typer.echo(compared(folder, other, found))
    return 0 if same else 1
