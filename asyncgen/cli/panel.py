"""The live panel of ``generate``; plain lines where there is no terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio
from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from asyncgen.cli.console import ErrorConsole
from asyncgen.cli.listeners import heard_or_not
from asyncgen.cli.live import budget, duration, is_noteworthy, lane_state, per_task
from asyncgen.cli.meter import Meter, Rates, Sample
from asyncgen.cli.summary import amount, money

if TYPE_CHECKING:
    from rich.console import RenderableType

    from asyncgen.engine import EngineSnapshot
    from asyncgen.pipeline.run import Run
    from asyncgen.pipeline.status import Status

__all__ = ["Display"]

_PANEL_SECONDS = 0.25
_LINE_SECONDS = 5.0
_LAST_KEPT = 4


class Display:
    """Shows a run while it works, on standard error.

    Args:
        run: What to show.
        enabled: ``False`` to show nothing at all.
    """

    def __init__(self, run: Run, *, enabled: bool) -> None:
        self._run = run
        self._enabled = enabled
        self._console = ErrorConsole()
        self._meter = Meter()
        self._message = ""
        self._live: Live | None = None

    def say(self, message: str) -> None:
        """Show what is going on besides the work; an empty message takes it back."""
        if message and self._enabled and not self._console.is_terminal and message != self._message:
            self._print(message)
        self._message = message

    async def refresh(self) -> None:
        """Show the state again and again, until cancelled."""
        if not self._enabled:
            return
        if not self._console.is_terminal:
            while True:
                await anyio.sleep(_LINE_SECONDS)
                self._print_line()
        with heard_or_not():
            await self._show_panel()

    async def _show_panel(self) -> None:
        with Live(
            self._panel(), console=self._console, auto_refresh=False, transient=True
        ) as self._live:
            while True:
                self._live.update(self._panel(), refresh=True)
                await anyio.sleep(_PANEL_SECONDS)

    def close(self) -> None:
        """Show the state a last time."""
        engine = self._run.session.snapshot()
        if engine is None or not engine.answered + engine.recalled:
            return
        if self._enabled and not self._console.is_terminal:
            self._print_line()

    def _print_line(self) -> None:
        if self._run.session.engine is None:
            return
        state, engine, rates = self._measure()
        made = min(state.valid, state.target)
        self._print(
            f"{made}/{state.target} tasks · kept {state.kept} of "
            f"{state.candidates} candidates · {_answers(state)} · "
            f"in flight {engine.in_flight if engine else 0} · {rates.requests:.1f} requests/s · "
            f"{rates.tokens:.0f} tokens/s · "
            f"cost {_cost(state, engine)} · ETA {duration(rates.eta)}"
        )

    def _print(self, line: str) -> None:
        with heard_or_not():
            self._console.print(f"asyncgen: {line}", highlight=False, soft_wrap=True)

    def _measure(self) -> tuple[Status, EngineSnapshot | None, Rates]:
        state, engine = self._run.status(), self._run.session.snapshot()
        if engine is not None:
            self._meter.add(
                Sample(time.monotonic(), engine.answered, engine.usage.output_tokens, state.valid)
            )
        return state, engine, self._meter.rates(state.target)

    def _panel(self) -> Panel:
        state, engine, rates = self._measure()
        title = f"asyncgen · {self._run.folder.path}"
        rows: list[RenderableType] = [
            self._bar(state, rates),
            self._numbers(state, engine, rates),
            self._last_kept(),
        ]
        if engine is not None and is_noteworthy(engine):
            rows.insert(2, self._lanes(engine))
        if self._message:
            rows.append(Text(self._message, style="yellow"))
        return Panel(Group(*rows), title=title, title_align="left", border_style="dim")

    @staticmethod
    def _bar(state: Status, rates: Rates) -> Table:
        row = Table.grid(padding=(0, 1))
        row.add_row(
            ProgressBar(total=state.target, completed=min(state.valid, state.target), width=40),
            Text(f"{min(state.valid, state.target)}/{state.target} tasks", style="bold"),
            Text(f"ETA {duration(rates.eta)}"),
        )
        return row

    @staticmethod
    def _numbers(state: Status, engine: EngineSnapshot | None, rates: Rates) -> Table:
        table = Table.grid(padding=(0, 2))
        for _ in range(4):
            table.add_column()
        rejected = state.candidates - state.kept
        acceptance = f"{state.kept / state.candidates:.0%}" if state.candidates else "?"
        answers = " · ".join(f"{stage} {count}" for stage, count in state.answers.items())
        table.add_row("kept", f"{state.kept}", "accepted", f"{acceptance} ({rejected} rejected)")
        table.add_row("answers", f"{sum(state.answers.values())}", "stages", answers)
        if recalled := state.recalled.answers:
            cost = money(state.recalled.cost)
            table.add_row("from the cache", f"{recalled}", "worth", cost)
        flying = f"{engine.in_flight}" if engine else "?"
        waiting = f"{engine.backing_off} backing off, {engine.retried} retried" if engine else "?"
        table.add_row("in flight", flying, "retries", waiting)
        table.add_row(
            "rates",
            f"{rates.requests:.1f} requests/s",
            "tokens",
            f"{rates.tokens:.0f}/s · {amount(state.usage.input_tokens)} in, "
            f"{amount(state.usage.output_tokens)} out · cost {_cost(state, engine)}",
        )
        return table

    @staticmethod
    def _lanes(engine: EngineSnapshot) -> Table:
        table = Table.grid(padding=(0, 2))
        for lane in engine.lanes:
            style = "" if lane.state == "open" else "yellow"
            state = Text(lane_state(lane), style=style, no_wrap=True, overflow="ellipsis")
            flying = f"in flight {lane.in_flight} of {lane.window}"
            table.add_row(lane.name, flying, f"answered {lane.answered:,}", state)
        return table

    def _last_kept(self) -> Group:
        drafts = self._run.fold.drafts[-_LAST_KEPT:]
        lines = [Text(f"+ {draft.instruction}", style="green") for draft in drafts]
        for line in lines:
            line.truncate(max(20, self._console.width - 6), overflow="ellipsis")
            line.no_wrap = True
        return Group(*lines)


def _answers(state: Status) -> str:
    recalled = state.recalled.answers
    known = f" ({recalled} from the cache)" if recalled else ""
    return f"answers {sum(state.answers.values())}{known}"


def _cost(state: Status, engine: EngineSnapshot | None) -> str:
    """Return what was spent, of how much and for each task, as far as that is known."""
    allowed = budget(engine) if engine is not None else ""
    for_one = f" ({per_task(state)})" if per_task(state) else ""
    return f"{allowed or money(state.cost)}{for_one}"
