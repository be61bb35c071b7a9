"""What a finetuning shows while it works, on standard error: a bar, or lines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from asyncgen.cli.console import ErrorConsole
from asyncgen.cli.listeners import heard_or_not
from asyncgen.finetune.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from asyncgen.finetune.tuning import Step

__all__ = ["TuningDisplay"]

_LINE_SECONDS = 5.0


class TuningDisplay(Watch):
    """Shows steps and losses.

    Args:
        received: The signals that asked to end; one is enough.
    """

    def __init__(self, received: Sequence[int]) -> None:
        self._received = received
        console = ErrorConsole()
        self._is_terminal = console.is_terminal
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeRemainingColumn(),
            console=console,
            disable=not self._is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("", total=1.0, visible=False)
        self._told = 0.0
        self._has_said_goodbye = False

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def say(self, message: str) -> None:
        """Print a line."""
        with heard_or_not():
            if self._is_terminal:
                self._bar.console.print(f"asyncgen: {message}", highlight=False)
            else:
                typer.echo(f"asyncgen: {message}", err=True)

    def fetched(self, done: int, total: int) -> None:
        """Show how much of the model was fetched, in MB."""
        self._show("fetching the model, MB", done / 1e6, total / 1e6)

    def stepped(self, step: Step, steps: int) -> None:
        """Show the loss."""
        self._show(f"loss {step.loss:.3f}", step.step, steps)
        now = time.monotonic()
        if not self._is_terminal and (now - self._told >= _LINE_SECONDS or step.step == steps):
            self._told = now
            self.say(f"step {step.step}/{steps} · epoch {step.epoch:.2f} · loss {step.loss:.3f}")

    def stopped(self) -> bool:
        """Whether a signal came."""
        if self._received and not self._has_said_goodbye:
            self._has_said_goodbye = True
            self.say("writing a checkpoint; once more to end at once")
        return bool(self._received)

    def _show(self, what: str, done: float, total: float) -> None:
        with heard_or_not():
            self._bar.update(
                self._task, description=what, completed=done, total=total, visible=True
            )
