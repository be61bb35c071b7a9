"""Runs the engine in virtual time and holds every run to what must hold for all of them."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.clock import run_virtually

from asyncgen.endpoints.scripted import ScriptedEndpoint
from asyncgen.engine import Engine, EngineOptions, Lane, Limits, RetryPolicy
from asyncgen.records import Prompt, Request, Sampling

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from asyncgen.endpoints.scripted import Script
    from asyncgen.engine import EngineSnapshot, Memory
    from asyncgen.records import Answer, Completion, Reply, Stage

__all__ = ["Bench", "Listed", "Outcome", "ask", "hello"]


def ask(number: int) -> Request:
    """Return request ``number``."""
    return Request("generation", str(number), Prompt("fixed", f"question {number}"), Sampling())


def hello(_request: Request, _attempt: int) -> str:
    """Answer anything."""
    return "hello world"


class Listed:
    """A source of so many requests, finished when all are answered."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.handed_out = 0
        self.done = 0

    @property
    def finished(self) -> bool:
        """Whether all are answered."""
        return self.done >= self.total

    def next_request(self, _stages: Collection[Stage] | None = None, /) -> Request | None:
        """Hand over the next."""
        if self.handed_out == self.total:
            return None
        self.handed_out += 1
        return ask(self.handed_out - 1)


@dataclass
class Outcome:
    """What a run came to.

    Attributes:
        answers: What was delivered, in that order.
        seconds: Virtual time it took.
    """

    answers: list[Answer]
    error: Exception | None
    seconds: float
    snapshot: EngineSnapshot

    @property
    def keys(self) -> list[int]:
        """Numbers of the requests answered, in the order of delivery."""
        return [int(answer.request.key) for answer in self.answers]


@dataclass
class Bench:
    """An engine over scripted endpoints, named a, b, …; each attempt takes ``delay`` seconds.

    Attributes:
        slowness: How many times as long attempts take at an endpoint.
        sent: Moment, endpoint and number of each attempt, in order.
        memory: What is known from before.
        identities: Of the endpoints' models; "scripted" for all by default.
        stages: What each endpoint serves.
        on_delivery: Awaited with each answer before it counts.
        meanwhile: Runs beside the engine, with it; cancelled at its end.
    """

    scripts: Sequence[Script]
    total: int = 10
    delay: Callable[[Request, int], float] = lambda _request, _attempt: 1.0
    slowness: dict[str, float] = field(default_factory=dict)
    max_in_flight: int = 4
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    rpm: float | None = None
    tpm: float | None = None
    paid: bool = True
    memory: Memory | None = None
    identities: Sequence[str] = ("scripted",) * 6
    stages: Sequence[frozenset[Stage] | None] = (None,) * 6
    on_delivery: Callable[[Answer], Awaitable[None]] | None = None
    meanwhile: Callable[[Engine], Awaitable[None]] | None = None
    source: Listed | None = None
    sent: list[tuple[float, str, int]] = field(default_factory=list)
    endpoints: list[ScriptedEndpoint] = field(default_factory=list)
    _open: int = 0

    def run(self) -> Outcome:
        """Run to the end."""
        return run_virtually(self._run)

    async def _run(self) -> Outcome:
        clock = asyncio.get_running_loop().time
        source = self.source or Listed(self.total)
        answers: list[Answer] = []
        self.endpoints = [
            ScriptedEndpoint(
                self._landing(script),
                delay=self._departing(name, clock),
                name=name,
                paid=self.paid,
                identity=identity,
            )
            for name, identity, script in zip("abcdef", self.identities, self.scripts, strict=False)
        ]
        limits = Limits(rpm=self.rpm, tpm=self.tpm)
        lanes = [
            Lane(endpoint, limits, stages=stages)
            for endpoint, stages in zip(self.endpoints, self.stages, strict=False)
        ]

        async def deliver(answer: Answer) -> None:
            if self.on_delivery is not None:
                await self.on_delivery(answer)
            answers.append(answer)
            source.done += 1

        options = EngineOptions(
            max_in_flight=self.max_in_flight,
            retry=self.retry,
            memory=self.memory,
            clock=clock,
            rng=random.Random(1),
        )
        engine = Engine(lanes, deliver, options)
        beside = asyncio.ensure_future(self.meanwhile(engine)) if self.meanwhile else None
        error: Exception | None = None
        try:
            await engine.run(source)
        except Exception as caught:  # noqa: BLE001 - each test says which it expects
            error = caught
        finally:
            if beside is not None:
                beside.cancel()
        return self._checked(Outcome(answers, error, clock(), engine.snapshot()), lanes)

    def _departing(self, name: str, clock: Callable[[], float]) -> Callable[[Request, int], float]:
        def delay(request: Request, attempt: int) -> float:
            self.sent.append((clock(), name, int(request.key)))
            self._open += 1
            assert self._open <= self.max_in_flight
            return self.delay(request, attempt) * self.slowness.get(name, 1)

        return delay

    def _landing(self, script: Script) -> Script:
        def answer(request: Request, attempt: int) -> Reply | Completion | str | Exception:
            self._open -= 1
            return script(request, attempt)

        return answer

    def _checked(self, outcome: Outcome, lanes: list[Lane]) -> Outcome:
        """Hold the run to what must hold for all: nothing left open, nothing answered twice."""
        assert not any(lane.in_flight for lane in outcome.snapshot.lanes)
        assert outcome.snapshot.in_flight == 0
        assert max(Counter(outcome.keys).values(), default=0) <= 1
        return outcome
