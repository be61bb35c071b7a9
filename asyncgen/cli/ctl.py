"""``asyncgen ctl``: a run that is at work is asked, changed and stopped."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from asyncgen.pipeline.control import Command, Report

__all__ = ["ctl", "look", "report_of"]

_PATIENCE = 60.0
_GLANCE = 5.0
"""Seconds. An answer takes milliseconds, but not while kernels are compiled for the first time."""

_LIMIT = "NUMBER|none"


def ctl(  # noqa: PLR0913 - one parameter a flag
    run_dir: Annotated[Path, typer.Argument(help="The run folder.")],
    *,
    rpm: Annotated[
        str | None, typer.Option(metavar=_LIMIT, help="Requests per minute and endpoint.")
    ] = None,
    tpm: Annotated[
        str | None, typer.Option(metavar=_LIMIT, help="Tokens per minute and endpoint.")
    ] = None,
    input_tpm: Annotated[
        str | None, typer.Option(metavar=_LIMIT, help="Input tokens per minute and endpoint.")
    ] = None,
    output_tpm: Annotated[
        str | None, typer.Option(metavar=_LIMIT, help="Output tokens per minute and endpoint.")
    ] = None,
    rpd: Annotated[
        str | None, typer.Option(metavar=_LIMIT, help="Requests per day and endpoint.")
    ] = None,
    max_in_flight: Annotated[int | None, typer.Option(help="Simultaneous requests.")] = None,
    max_cost: Annotated[
        str | None, typer.Option(metavar=_LIMIT, help="US dollars that the run may cost in all.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Base URL of the one that is changed; without it, all are.")
    ] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="Finish what is in the air and end, as with Ctrl-C.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what a run at work is doing, or change its limits at once.

    What is changed is also kept in the run folder, for when it is resumed.
    "none" lifts a limit.

    Example: asyncgen ctl runs/first --rpm 300 --max-cost 5
    """
    from asyncgen.errors import RunFolderError

    limits = {
        "rpm": rpm,
        "tpm": tpm,
        "input_tpm": input_tpm,
        "output_tpm": output_tpm,
        "rpd": rpd,
        "max_cost": max_cost,
    }
    wanted: dict[str, Any] = {
        name: _number(name, text) for name, text in limits.items() if text is not None
    }
    if max_in_flight is not None:
        wanted["max_in_flight"] = max_in_flight
    report = report_of(run_dir, _command(wanted, endpoint, stop=stop))
    if report is None:
        raise RunFolderError(run_dir, "no process is at work here; generate starts or resumes one")
    _show(run_dir, report, as_json=as_json)


def report_of(run_dir: Path, command: Command, patience: float = _PATIENCE) -> Report | None:
    """Send a command to the process at work on a run; ``None`` if there is none.

    Args:
        run_dir: The run folder.
        command: What to do.
        patience: Seconds to wait for a sign of life.

    Raises:
        InputError: If it refuses, or does not answer.
    """
    import msgspec

    from asyncgen.control import ask
    from asyncgen.pipeline.control import read_reply

    reply = ask(run_dir, msgspec.json.encode(command), patience=patience)
    return None if reply is None else read_reply(reply)


def look(run_dir: Path) -> Report | None:
    """Ask the process at work on a run how it stands; ``None`` if none is, or it does not say."""
    from asyncgen.errors import InputError
    from asyncgen.pipeline.control import Look

    try:
        return report_of(run_dir, Look(), _GLANCE)
    except InputError as error:
        # What stands in the folder can be told all the same.
        typer.echo(f"asyncgen: {error}", err=True)
        return None


def _number(name: str, text: str) -> float | str:
    from asyncgen.errors import SettingsError

    if text == "none":
        return text
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        flag = f"--{name.replace('_', '-')}"
        raise SettingsError(f"{flag} {text}: a number, or 'none' to lift the limit")
    return number


def _command(wanted: dict[str, Any], endpoint: str | None, *, stop: bool) -> Command:
    from asyncgen.errors import SettingsError
    from asyncgen.pipeline.control import Look, Stop
    from asyncgen.settings import Change

    if stop and (wanted or endpoint):
        raise SettingsError("--stop goes alone")
    if stop:
        return Stop()
    # An endpoint alone is sent as it is, and refused with what there is to say.
    return Change(endpoint=endpoint, **wanted) if wanted or endpoint else Look()


def _show(run_dir: Path, report: Report, *, as_json: bool) -> None:
    from asyncgen.cli.live import live
    from asyncgen.cli.summary import as_json_line

    if as_json:
        typer.echo(as_json_line({"run": str(run_dir), "live": report}))
        return
    for line in report.changed:
        typer.echo(line)
    typer.echo(f"{run_dir}: {live(report)}")
