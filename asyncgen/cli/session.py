"""One session of ``generate``: signals, the panel, the outcome."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio
import typer

from asyncgen.cli.panel import Display
from asyncgen.cli.summary import as_json_line, files, funnel
from asyncgen.endpoints.connect import open_endpoints
from asyncgen.errors import AsyncgenError, RunPausedError
from asyncgen.pipeline.run import Run

if TYPE_CHECKING:
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.settings import Settings

__all__ = ["run_session"]

_WARM_AFTER = 0.3
"""Seconds. What an endpoint refuses at once need not wait for Numba to load."""


def run_session(folder: RunFolder, settings: Settings, *, as_json: bool) -> int:
    """Work on a run until it is done, paused or interrupted; return the exit code.

    Raises:
        AsyncgenError: If it failed; what was reached is written all the same.
    """
    with Run.opened(folder, settings) as run:
        display = Display(run, enabled=not as_json)
        try:
            received = _event_loop(_Session(run, display))
            problem: AsyncgenError | None = None
        except AsyncgenError as error:
            received, problem = None, error
        run.write()
        code = _exit_code(run, received, problem)
        _report(run, code, problem, as_json=as_json)
        if problem is not None and not isinstance(problem, RunPausedError):
            raise problem
    return code


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

    def __init__(self, run: Run, display: Display) -> None:
        self._run = run
        self._display = display
        self._received: int | None = None
        self._problem: AsyncgenError | None = None

    async def work(self) -> int | None:
        """Run to the end; return the signal that ended it early, if one did.

        Raises:
            AsyncgenError: If the work failed.
        """
        warming = threading.Timer(_WARM_AFTER, _warm_up)
        warming.daemon = True
        warming.start()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch_signals, tasks.cancel_scope)
            tasks.start_soon(self._display.refresh)
            await self._ask()
            tasks.cancel_scope.cancel()
        warming.cancel()
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
                await run.work(endpoints, self._display.say)
        except AsyncgenError as error:
            self._problem = error

    async def _watch_signals(self, scope: anyio.CancelScope) -> None:
        """First signal: launch nothing more, wait for what is in the air. Second: drop it."""
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                if self._received is not None or self._run.engine is None:
                    self._received = self._received or number
                    self._run.stopped = True
                    scope.cancel()
                    return
                self._received = number
                self._run.stop()
                self._display.say("finishing what is in the air; once more to drop it")


def _warm_up() -> None:
    """Compile or load the kernels while the first requests are in the air."""
    from asyncgen_kernels import warm_up

    warm_up()


def _exit_code(run: Run, received: int | None, problem: AsyncgenError | None) -> int:
    if run.agenda.finished:
        return 0
    if problem is not None:
        return problem.exit_code
    return 128 + (received or signal.SIGINT)


def _report(run: Run, code: int, problem: AsyncgenError | None, *, as_json: bool) -> None:
    state = run.status()
    if as_json:
        outcome = {0: "done", 3: "paused", 130: "interrupted", 143: "interrupted"}
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
    elif code in {0, 3, 130, 143}:
        typer.echo(funnel(state))
        typer.echo(files(run.folder))
    if code in {3, 130, 143}:
        why = f"stopped early: {problem}" if problem else "interrupted"
        again = shlex.join(["asyncgen", *sys.argv[1:]])
        typer.echo(f"asyncgen: {why}; nothing is lost, resume with: {again}", err=True)
