"""An engine at work on models of providers, in virtual time, and what came of it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.harness import Listed
from support.clock import run_virtually

from asyncgen.engine import Engine, EngineOptions, Lane, Limits, RetryPolicy
from asyncgen.errors import AsyncgenError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from engine.provider import Provider

    from asyncgen.engine import EngineSnapshot
    from asyncgen.records import Answer

    Meanwhile = Callable[[Engine], Awaitable[None]]

__all__ = ["Result", "Trial", "accepted"]


def accepted(provider: Provider, begin: float, end: float) -> int:
    """Return how many requests a provider let in, in a span of seconds."""
    return sum(begin <= moment < end for moment in provider.accepted)


@dataclass
class Result:
    """What a trial came to.

    Attributes:
        answers: The moment of each answer, and it.
        seconds: Virtual time it took.
    """

    answers: list[tuple[float, Answer]]
    error: AsyncgenError | None
    seconds: float
    snapshot: EngineSnapshot
    said: list[str]


@dataclass
class Trial:
    """An engine over models of providers.

    Attributes:
        seconds: How long to work, ``None`` until all is answered.
        limits: What each lane is told.
        lanes: Lanes instead of one for each provider.
        meanwhile: Runs beside the engine; cancelled at its end.
    """

    providers: list[Provider]
    seconds: float | None = 60
    total: int = 10**9
    limits: Limits = field(default_factory=Limits)
    lanes: list[Lane] | None = None
    max_in_flight: int = 512
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    max_cost: float | None = None
    spent: float = 0.0
    meanwhile: Meanwhile | None = None

    def run(self) -> Result:
        """Run to the end."""
        return run_virtually(self._run)

    async def _run(self) -> Result:
        clock = asyncio.get_running_loop().time
        source = Listed(self.total)
        answers: list[tuple[float, Answer]] = []
        said: list[str] = []

        async def deliver(answer: Answer) -> None:
            answers.append((clock(), answer))
            source.done += 1

        options = EngineOptions(
            max_in_flight=self.max_in_flight,
            retry=self.retry,
            max_cost=self.max_cost,
            spent=self.spent,
            say=said.append,
            clock=clock,
            rng=random.Random(1),
        )
        lanes = self.lanes or [Lane(provider, self.limits) for provider in self.providers]
        engine = Engine(lanes, deliver, options)
        beside = asyncio.ensure_future(self.meanwhile(engine)) if self.meanwhile else None
        error: AsyncgenError | None = None
        try:
            await asyncio.wait_for(engine.run(source), self.seconds)
        except TimeoutError:
            assert self.seconds is not None
        except AsyncgenError as caught:
            error = caught
        finally:
            if beside is not None:
                beside.cancel()
        twice = Counter(answer.request.key for _, answer in answers)
        assert max(twice.values(), default=0) <= 1
        assert sum(provider.early for provider in self.providers) == 0
        return Result(answers, error, clock(), engine.snapshot(), said)
