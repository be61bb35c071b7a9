"""The commands in one table, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

from asyncgen.cli import (
    bench,
    ctl,
    cycle,
    dedup,
    estimate,
    evaluate,
    export,
    finetune,
    generate,
    rate,
    refilter,
    report,
    serve,
    status,
    verify,
)
from asyncgen.cli.listeners import heard_or_not, let_go
from asyncgen.errors import AsyncgenError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "parse", "run"]

app = typer.Typer(
    name="asyncgen",
    help="Grow an instruction-tuning dataset out of a language model's own generations.",
    epilog="Begin with: asyncgen generate runs/first --endpoint local --target 100",
    no_args_is_help=True,
    add_completion=False,
    # Drawing the help with rich would double the time to start.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("generate")(generate.generate)
app.command("estimate")(estimate.estimate)
app.command("status")(status.status)
app.command("verify")(verify.verify)
app.command("refilter")(refilter.refilter)
app.command("ctl")(ctl.ctl)
app.command("export")(export.export)
app.command("report")(report.report)
app.command("rate")(rate.rate)
app.command("dedup")(dedup.dedup)
app.add_typer(evaluate.evaluate_app, name="evaluate")
app.add_typer(finetune.finetune_app, name="finetune")
app.command("cycle")(cycle.cycle)
app.add_typer(serve.serve_app, name="serve")
app.add_typer(bench.bench_app, name="bench")


def _version(asked: bool) -> None:  # noqa: FBT001 - the form that Typer calls
    if asked:
        from asyncgen import __version__

        typer.echo(f"asyncgen {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


_COLLECT_AFTER = 100_000
"""Objects. Starting up makes a million, none of them garbage; by default a sixth of the time that
it takes went into looking for some."""


def main() -> None:
    """Run the command line and exit."""
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every error on purpose is one line on stderr."""
    command = typer.main.get_command(app)
    try:
        outcome = command(list(arguments), prog_name="asyncgen", standalone_mode=False)
    except typer.TyperException as error:
        return _fail(error.format_message(), error.exit_code)
    except AsyncgenError as error:
        return _fail(str(error), error.exit_code)
    except typer.Abort:
        return _fail("aborted", 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has left (``| head``): nothing to report, nobody to tell.
        let_go()
        return 0
    return outcome if isinstance(outcome, int) else 0


def parse(arguments: Sequence[str]) -> None:
    """Read a command line as :func:`run` would, and run nothing.

    Raises:
        SettingsError: If it is not understood.
    """
    command: Any = typer.main.get_command(app)
    context, rest = None, list(arguments)
    try:
        while command is not None:
            context = command.make_context(command.name, rest, parent=context)
            if not isinstance(command, TyperGroup):
                return
            # What is left is split so that the command's name is apart.
            left = [*context._protected_args, *context.args]  # noqa: SLF001
            _, command, rest = command.resolve_command(context, left)
    except typer.TyperException as error:
        line = " ".join(["asyncgen", *arguments[:2]])
        raise SettingsError(f"{line}: {error.format_message()}") from error


def _fail(message: str, code: int) -> int:
    line = " ".join(message.split())
    with heard_or_not():
        typer.echo(f"asyncgen: error: {line}", err=True)
    return code
