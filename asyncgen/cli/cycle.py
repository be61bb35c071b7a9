"""``asyncgen cycle``: generate, finetune, evaluate, as often as wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asyncgen.cli import flags  # noqa: TC001 - Typer reads annotations at run time

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cycle"]

_CONFIG = (
    "TOML file: rounds, superni, tasks, and tables [generate] (settings of runs), [finetune] and "
    "[evaluate] (flags of these commands, with underscores)."
)


def cycle(  # noqa: PLR0913 - each parameter is a flag
    folder: Annotated[Path, typer.Argument(help="Folder for all of it; made if absent.")],
    *,
    rounds: Annotated[
        int | None,
        typer.Option(help="How often; the tuned model writes the next round's data. Default 1."),
    ] = None,
    superni: Annotated[
        str | None, typer.Option(metavar="DIR", help="SuperNI task files to judge models by, too.")
    ] = None,
    tasks: Annotated[
        str | None, typer.Option(metavar="FILE", help="Everyday tasks instead of our own.")
    ] = None,
    endpoint: flags.Endpoint = None,
    model: flags.Model = None,
    api: flags.Api = None,
    model_path: flags.ModelPath = None,
    target: flags.Target = None,
    seed: flags.Seed = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help=_CONFIG)] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object at the end.")
    ] = False,
) -> int:
    """Let a model write data, finetune it on them and see whether that helped.

    Each step is a command of its own, which is shown; run again to resume. Everything happens on
    this machine with --endpoint local; a service has to offer OpenAI's finetuning too.

    Example: asyncgen cycle runs/cycle --endpoint local --target 100
    """
    from asyncgen.cycle.cycle import CycleStopped, check, turn
    from asyncgen.cycle.outcome import in_words
    from asyncgen.cycle.plan import read_plan

    writer: dict[str, Any] = {"endpoint": endpoint, "model": model, "api": api}
    writer |= {"model_path": model_path, "target": target, "seed": seed}
    given = {"rounds": rounds, "superni": superni, "tasks": tasks}
    plan = read_plan(config, given, writer)
    from asyncgen.cli.app import parse, run

    check(folder, plan, parse)
    try:
        outcome = turn(folder, plan, run, _say)
    except CycleStopped as stopped:
        return stopped.code
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(outcome).decode())
    else:
        typer.echo(in_words(folder, outcome), nl=False)
    return 0


def _say(step: str, arguments: Sequence[str]) -> None:
    import shlex

    typer.echo(f"asyncgen: {step}: {shlex.join(['asyncgen', *arguments])}", err=True)
