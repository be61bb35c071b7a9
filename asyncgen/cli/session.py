"""One session of ``generate``: signals, the panel, the outcome."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import typer

from asyncgen.cli.interruption import until_interrupted
from asyncgen.cli.listeners import heard_or_not
from asyncgen.cli.outcome import exit_code, is_orderly, outcome_of, say_how_to_resume
from asyncgen.cli.panel import Display
from asyncgen.cli.summary import as_json_line, files, funnel
from asyncgen.control import serving
from asyncgen.endpoints.connect import open_endpoints
from asyncgen.errors import AsyncgenError, RunFolderError, RunPausedError
from asyncgen.pipeline.control import respond
from asyncgen.pipeline.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.engine import Source
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.settings import Settings

__all__ = ["run_session", "work_on"]


def run_session(folder: RunFolder, settings: Settings, *, as_json: bool) -> int:
    """Work on a run until it is done, paused or interrupted; return the exit code.

    Raises:
        AsyncgenError: If it failed; what was reached is written all the same.
    """
    with Run.opened(folder, settings) as run:
        received, problem = work_on(run, quiet=as_json)
        code = exit_code(run.agenda.finished, received, problem)
        with heard_or_not():
            _report(run, code, problem, as_json=as_json)
        if problem is not None and not isinstance(problem, RunPausedError):
            raise problem
    return code


def work_on(
    run: Run, *, quiet: bool, source: Source | None = None
) -> tuple[int | None, AsyncgenError | None]:
    """Ask what a source has to ask, all that the run needs if none is given; write what came of it.

    Returns:
        The signal that ended it early and the error that did, if any.

    Raises:
        RunFolderError: If what came of it cannot be written.
    """
    problem: AsyncgenError | None = None
    received: int | None = None
    try:
        received = _Session(run, Display(run, enabled=not quiet), source).work()
    except AsyncgenError as error:
        problem = error
    try:
        run.write()
    except RunFolderError as unwritten:
        # Where the disk is full both fail; what the journal could not take cost money.
        raise (problem if isinstance(problem, RunFolderError) else unwritten) from None
    return received, problem


class _Session:
    """The tasks of one session: the work, the display, the signals and the control socket."""

    def __init__(self, run: Run, display: Display, source: Source | None) -> None:
        self._run = run
        self._display = display
        self._source = source

    def work(self) -> int | None:
        """Run to the end; return the signal that ended it early, if one did.

        Raises:
            AsyncgenError: If the work failed.
        """
        return until_interrupted(
            self._run.session, self._ask, self._display, beside=self._open_control
        )

    async def _ask(self) -> None:
        run = self._run
        if run.agenda.finished:
            return
        async with AsyncExitStack() as stack:
            endpoints = await open_endpoints(
                stack, run.settings, run.folder.server_log, self._display.say
            )
            self._display.say("")
            await run.work(endpoints, self._display.say, self._source)

    async def _open_control(self, stack: AsyncExitStack, stop: Callable[[], None]) -> None:
        """Let ``asyncgen ctl`` and ``status`` reach this run; without them it works as well."""
        folder = self._run.folder.path
        try:
            await stack.enter_async_context(
                serving(folder, lambda line: respond(line, self._run, stop))
            )
        except OSError as error:
            why = error.strerror or error
            self._display.say(f"asyncgen ctl cannot reach this run: no socket in {folder} ({why})")


def _report(run: Run, code: int, problem: AsyncgenError | None, *, as_json: bool) -> None:
    state = run.status()
    if as_json:
        typer.echo(
            as_json_line(
                {
                    "outcome": outcome_of(code),
                    "reason": str(problem) if problem else "",
                    "run": str(run.folder.path),
                    "dataset": str(run.folder.dataset),
                    "rejected": str(run.folder.rejected),
                    "status": state,
                }
            )
        )
    elif is_orderly(code):
        typer.echo(funnel(state))
        typer.echo(files(run.folder))
    # What was changed since stands in the folder; the flags of old would undo it.
    anew = ["generate", str(run.folder.path), *(["--json"] if as_json else [])]
    say_how_to_resume(code, problem, anew if run.adjusted else sys.argv[1:])
