"""How far a survey is: one line, kept up to date on a terminal, repeated elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio

from asyncgen.cli.console import ErrorConsole
from asyncgen.cli.listeners import heard_or_not
from asyncgen.cli.live import budget, duration
from asyncgen.cli.meter import Meter, Sample
from asyncgen.cli.summary import money

if TYPE_CHECKING:
    from asyncgen.survey.survey import Survey

__all__ = ["Progress"]

_SHOWN_EVERY = 0.5
_SAID_EVERY = 5.0


class Progress:
    """Shows a survey while it is asked, on standard error.

    Args:
        survey: What to show.
        enabled: ``False`` to show nothing at all.
    """

    def __init__(self, survey: Survey, *, enabled: bool) -> None:
        self._survey = survey
        self._enabled = enabled
        self._console = ErrorConsole()
        self._meter = Meter()
        self._message = ""

    def say(self, message: str) -> None:
        """Show what is going on besides the work; an empty message takes it back."""
        if message and message != self._message and self._enabled:
            self._print(message)
        self._message = message

    async def refresh(self) -> None:
        """Show the state again and again, until cancelled."""
        if not self._enabled:
            return
        if not self._console.is_terminal:
            while True:
                await anyio.sleep(_SAID_EVERY)
                self._show()
        with heard_or_not(), self._console.status("") as status:
            while True:
                status.update(self._line())
                await anyio.sleep(_SHOWN_EVERY)

    def close(self) -> None:
        """Show the state a last time."""
        engine = self._survey.session.snapshot()
        if self._enabled and engine is not None and engine.answered + engine.recalled:
            self._show()

    def _show(self) -> None:
        if self._survey.session.engine is not None:
            self._print(self._line())

    def _print(self, line: str) -> None:
        with heard_or_not():
            self._console.print(f"asyncgen: {line}", highlight=False, soft_wrap=True, markup=False)

    def _line(self) -> str:
        survey, engine = self._survey, self._survey.session.snapshot()
        done, wanted = len(survey.answers), len(survey.requests)
        if engine is None:
            return f"{done:,}/{wanted:,} answers · {self._message or 'opening the endpoint'}"
        self._meter.add(Sample(time.monotonic(), engine.answered, engine.usage.output_tokens, done))
        rates = self._meter.rates(wanted)
        recalled = f" ({engine.recalled:,} from the cache)" if engine.recalled else ""
        return (
            f"{done:,}/{wanted:,} answers{recalled} · in flight {engine.in_flight} · "
            f"{rates.requests:.1f} requests/s · {rates.tokens:.0f} tokens/s · "
            f"cost {budget(engine) or money(engine.spent)} · ETA {duration(rates.eta)}"
        )
