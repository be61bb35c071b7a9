"""One measurement of an endpoint: opened, signals watched, the outcome printed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import anyio
import typer

from asyncgen.bench.endpoint import Climb, at_most
from asyncgen.bench.endpoint_report import HEAD, as_fields, as_row, as_text
from asyncgen.bench.load import Bounds, Load
from asyncgen.bench.questions import questions
from asyncgen.cli.signals import ending
from asyncgen.cli.summary import as_json_line, money
from asyncgen.endpoints.connect import open_endpoints
from asyncgen.endpoints.simulated.child import fastest_loop
from asyncgen.errors import AsyncgenError

if TYPE_CHECKING:
    from asyncgen.bench.levels import Level
    from asyncgen.endpoints.base import Endpoint
    from asyncgen.settings import Settings

__all__ = ["Asked", "climb"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What to measure.

    Attributes:
        settings: Name the endpoint.
        levels: Requests in flight, rising.
        bounds: How much may be asked.
        characters: About how long a prompt is.
        run: Keys the prompts.
    """

    settings: Settings
    levels: tuple[int, ...]
    bounds: Bounds
    characters: int
    run: int


def climb(asked: Asked, *, as_json: bool) -> int:
    """Measure, print, and return the exit code.

    Raises:
        AsyncgenError: If the endpoint refused; what was measured is printed all the same.
    """
    session = _Session(asked, as_json=as_json)
    with asyncio.Runner(loop_factory=fastest_loop()) as runner:
        runner.run(session.work())
    session.print()
    if session.problem is not None:
        raise session.problem
    return 0 if session.received is None else 128 + session.received


class _Session:
    """The tasks of one measurement: the load, and the signals that end it.

    Attributes:
        received: The signal that did.
        problem: What ended it otherwise before its time.
    """

    def __init__(self, asked: Asked, *, as_json: bool) -> None:
        self.received: int | None = None
        self.problem: AsyncgenError | None = None
        self._asked = asked
        self._as_json = as_json
        self._climb: Climb | None = None
        self._told = 0

    async def work(self) -> None:
        """Measure to the end, or to a signal."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch_signals, tasks.cancel_scope)
            try:
                await self._measure()
            except AsyncgenError as error:
                self.problem = error
            tasks.cancel_scope.cancel()

    def print(self) -> None:
        """Print what there is."""
        if self._climb is None:
            return
        report = self._climb.report()
        if not report.levels and self.problem is not None:
            return
        if self._as_json:
            typer.echo(as_json_line(as_fields(report)))
            return
        for level in report.levels[self._told :]:
            self._tell(level)
        typer.echo(as_text(report))

    async def _measure(self) -> None:
        asked = self._asked
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="asyncgen-bench-")))
            log = folder / "server.log"
            (endpoint,) = await open_endpoints(stack, asked.settings, log, _say)
            self._announce(endpoint)
            asking = questions(asked.settings, asked.characters, asked.run)
            load = Load(endpoint, asking, asked.bounds)
            self._climb = Climb(endpoint, asked.levels, load)
            await self._climb.run(self._tell)

    def _announce(self, endpoint: Endpoint) -> None:
        """Say what it may cost before anything is asked."""
        asked, levels = self._asked, self._asked.levels
        example = next(questions(asked.settings, asked.characters, asked.run))
        count, cost = at_most(endpoint, example, levels, asked.bounds)
        shown = ", ".join(f"{level:,}" for level in levels[:3]) + (", …" if levels[3:] else "")
        _say(
            f"asking {endpoint.name} at {shown} up to {levels[-1]:,} in flight, "
            f"{asked.bounds.seconds:g} s each: at most {count:,} requests of about "
            f"{example.prompt.characters:,} characters and up to "
            f"{example.sampling.max_output_tokens:,} tokens of answer; "
            f"cost {'unknown' if cost is None else f'at most {money(cost)}'}"
        )

    def _tell(self, level: Level) -> None:
        # A program that reads the outcome gets nothing else on standard output.
        if not self._told:
            typer.echo(HEAD, err=self._as_json)
        self._told += 1
        typer.echo(as_row(level), err=self._as_json)

    async def _watch_signals(self, scope: anyio.CancelScope) -> None:
        with anyio.open_signal_receiver(*ending()) as signals:
            async for number in signals:
                self.received = number
                _say("dropping what is in the air; it may be billed")
                scope.cancel()
                return


def _say(message: str) -> None:
    if message:
        typer.echo(f"asyncgen: {message}", err=True)
