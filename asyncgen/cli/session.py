"""One session of ``generate``: signals, the panel, the outcome."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio
import typer

from asyncgen.cli.listeners import heard_or_not
from asyncgen.cli.panel import Display
from asyncgen.cli.signals import ending, is_impatient
from asyncgen.cli.summary import as_json_line, files, funnel
from asyncgen.control import serving
from asyncgen.endpoints.connect import open_endpoints
from asyncgen.errors import AsyncgenError, RunFolderError, RunPausedError
from asyncgen.pipeline.control import respond
from asyncgen.pipeline.run import Run

if TYPE_CHECKING:
    from asyncgen.engine import Source
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.settings import Settings

__all__ = ["run_session", "work_on"]

_INTERRUPTED = {128 + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
"""Exit codes."""


def run_session(folder: RunFolder, settings: Settings, *, as_json: bool) -> int:
    """Work on a run until it is done, paused or interrupted; return the exit code.

    Raises:
        AsyncgenError: If it failed; what was reached is written all the same.
    """
    with Run.opened(folder, settings) as run:
        received, problem = work_on(run, quiet=as_json)
        code = _exit_code(run, received, problem)
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
        received = _event_loop(_Session(run, Display(run, enabled=not quiet), source))
    except AsyncgenError as error:
        problem = error
    try:
        run.write()
    except RunFolderError as unwritten:
        # Where the disk is full both fail; what the journal could not take cost money.
        raise (problem if isinstance(problem, RunFolderError) else unwritten) from None
    return received, problem


def _event_loop(session: _Session) -> int | None:
    try:
        import uvloop  # the extra 'speed'
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(session.work())


class _Session:
    """The tasks of one session: the work, the display and the signals."""

    def __init__(self, run: Run, display: Display, source: Source | None) -> None:
        self._run = run
        self._display = display
        self._source = source
        self._received: int | None = None
        self._problem: AsyncgenError | None = None

    async def work(self) -> int | None:
        """Run to the end; return the signal that ended it early, if one did.

        Raises:
            AsyncgenError: If the work failed.
        """
        async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
            await self._open_control(stack, tasks.cancel_scope)
            tasks.start_soon(self._watch_signals, tasks.cancel_scope)
            tasks.start_soon(self._display.refresh)
            await self._ask()
            tasks.cancel_scope.cancel()
        self._display.close()
        if self._problem is not None:
            raise self._problem
        return self._received

    async def _ask(self) -> None:
        run = self._run
        if run.agenda.finished:
            return
        try:
            async with AsyncExitStack() as stack:
                endpoints = await open_endpoints(
                    stack, run.settings, run.folder.server_log, self._display.say
                )
                self._display.say("")
                await run.work(endpoints, self._display.say, self._source)
        except AsyncgenError as error:
            self._problem = error

    async def _open_control(self, stack: AsyncExitStack, scope: anyio.CancelScope) -> None:
        """Let ``asyncgen ctl`` and ``status`` reach this run; without them it works as well."""

        def stop() -> None:
            if self._received is None:
                self._interrupt(signal.SIGINT, scope)

        folder = self._run.folder.path
        try:
            await stack.enter_async_context(
                serving(folder, lambda line: respond(line, self._run, stop))
            )
        except OSError as error:
            why = error.strerror or error
            self._display.say(f"asyncgen ctl cannot reach this run: no socket in {folder} ({why})")

    async def _watch_signals(self, scope: anyio.CancelScope) -> None:
        with anyio.open_signal_receiver(*ending()) as signals:
            async for number in signals:
                self._interrupt(number, scope)

    def _interrupt(self, number: int, scope: anyio.CancelScope) -> None:
        """First time: launch nothing more, wait for what is in the air. Second: drop it."""
        if self._received is not None and not is_impatient(number):
            return
        if self._received is not None or self._run.engine is None:
            self._received = self._received or number
            self._run.stopped = True
            scope.cancel()
            return
        self._received = number
        self._run.stop()
        self._display.say("finishing what is in the air; once more to drop it")


def _exit_code(run: Run, received: int | None, problem: AsyncgenError | None) -> int:
    if run.agenda.finished:
        return 0
    if problem is not None:
        return problem.exit_code
    return 128 + (received or signal.SIGINT)


def _report(run: Run, code: int, problem: AsyncgenError | None, *, as_json: bool) -> None:
    state = run.status()
    if as_json:
        outcome = {0: "done", 3: "paused"} | dict.fromkeys(_INTERRUPTED, "interrupted")
        typer.echo(
            as_json_line(
                {
                    "outcome": outcome.get(code, "failed"),
                    "reason": str(problem) if problem else "",
                    "run": str(run.folder.path),
                    "dataset": str(run.folder.dataset),
                    "rejected": str(run.folder.rejected),
                    "status": state,
                }
            )
        )
    elif code in {0, 3} | _INTERRUPTED:
        typer.echo(funnel(state))
        typer.echo(files(run.folder))
    if code in {3} | _INTERRUPTED:
        why = f"stopped early: {problem}" if problem else "interrupted"
        # What was changed since stands in the folder; the flags of old would undo it.
        anew = ["generate", str(run.folder.path), *(["--json"] if as_json else [])]
        told = problem.go_on_with if isinstance(problem, RunPausedError) else ()
        again = shlex.join(["asyncgen", *(anew if run.adjusted else sys.argv[1:]), *told])
        typer.echo(f"asyncgen: {why}; nothing is lost, resume with: {again}", err=True)
