"""Real runs of the engine over real endpoints against simulated providers, and what was seen."""

from __future__ import annotations

import asyncio
import os
import random
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import anyio
import psutil

from asyncgen.endpoints.connect import open_endpoints
from asyncgen.endpoints.simulated import SimulatedOptions, simulated_server
from asyncgen.engine import Engine, EngineOptions, Lane, Limits
from asyncgen.errors import LocalServerError
from asyncgen.records import Prompt, Request, Sampling
from asyncgen.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

    from asyncgen.endpoints.simulated import SimulatedServer, Verdict
    from asyncgen.engine import EngineSnapshot
    from asyncgen.records import Answer, Completion

    Script = Callable[["Stage"], Coroutine[Any, Any, None]]

__all__ = ["Client", "Seen", "Stage", "perform"]

FIXED = "You are given a task. Do what it says, and say nothing else. " * 8
SENTENCE = "Say in two sentences what lightning is. "
POLL = 0.25  # seconds between two looks at a provider's verdict
WINDOW = 2.0  # seconds over which a rate is taken
BACK = 0.95  # of a limit at which a client is back


@dataclass(frozen=True)
class Client:
    """What the engine is told.

    Attributes:
        seconds: How long it gets new requests.
        count: How many requests there are at most.
        varied: Whether prompts differ in length, ten times at the most.
    """

    seconds: float
    count: int = 10**9
    limits: Limits = field(default_factory=Limits)
    max_in_flight: int = 512
    timeouts: dict[str, float] = field(default_factory=dict)
    varied: bool = False


@dataclass(frozen=True)
class Seen:
    """What came of a run; moments are seconds after its first request.

    Attributes:
        asked: Requests that the source handed out.
        landed: When each answer came.
        latencies: Seconds that the successful attempt took, in the same order.
        unanswered: Requests that were never answered, or by a failure.
        twice: Requests that were answered more than once.
        refused: 429s that the providers' limits had given, by moment.
        marks: Moments of what the script did.
        verdicts: Of the providers, the last that could be had.
    """

    asked: int
    landed: list[float]
    latencies: list[float]
    unanswered: int
    twice: int
    refused: list[tuple[float, int]]
    marks: dict[str, float]
    verdicts: list[Verdict]
    snapshot: EngineSnapshot
    seconds: float

    def rate(self, first: float, last: float) -> float:
        """Return the answers a second between two moments."""
        return sum(first <= moment < last for moment in self.landed) / max(last - first, 1e-9)

    def back_after(self, moment: float, rate: float) -> float | None:
        """Return the seconds from a moment until answers come at a rate again."""
        start = moment
        while start + WINDOW <= self.landed[-1]:
            if self.rate(start, start + WINDOW) >= BACK * rate:
                return start - moment
            start += 0.1
        return None

    def refused_after(self, moment: float) -> int:
        """Return the 429s that limits gave after a moment."""
        before = [count for when, count in self.refused if when <= moment]
        return self.refused[-1][1] - (before[-1] if before else 0)

    def last_refused(self, first: float, last: float) -> float | None:
        """Return the seconds from one moment to the last 429 before another."""
        inside = [pair for pair in self.refused if first <= pair[0] <= last]
        rises = [b[0] for a, b in pairwise(inside) if b[1] > a[1]]
        return rises[-1] - first if rises else None


class Stage:
    """What a script may see and do while the engine works."""

    def __init__(self, servers: Sequence[SimulatedServer], began: float) -> None:
        self.servers = servers
        self.marks: dict[str, float] = {}
        self.last_verdicts: dict[int, Verdict] = {}
        self._began = began

    def mark(self, what: str) -> None:
        """Note that something happens now."""
        self.marks[what] = time.monotonic() - self._began

    async def verdicts(self) -> list[Verdict]:
        """Return every provider's verdict, of one that is gone the last."""
        for number, server in enumerate(self.servers):
            try:
                self.last_verdicts[number] = await server.verdict()
            except LocalServerError:
                continue
        return [self.last_verdicts[number] for number in sorted(self.last_verdicts)]


class _Questions:
    """Hands out requests until the time is over, and takes in the answers."""

    def __init__(self, client: Client, began: float) -> None:
        self._client = client
        self._began = began
        self._ends = began + client.seconds
        self._rng = random.Random(1)
        self._sampling = Sampling(max_output_tokens=1024, temperature=0.7)
        self.asked = 0
        self.answers: dict[str, int] = {}
        self.failures = 0
        self.landed: list[float] = []
        self.latencies: list[float] = []

    @property
    def _closed(self) -> bool:
        return self.asked >= self._client.count or time.monotonic() >= self._ends

    @property
    def finished(self) -> bool:
        """Whether nothing more is asked, and all that was asked is answered."""
        return self._closed and len(self.answers) == self.asked

    def next_request(self, _stages: object = None, /) -> Request | None:
        """Hand over a request like no other."""
        if self._closed:
            return None
        self.asked += 1
        sentences = self._rng.randint(2, 40) if self._client.varied else 12
        prompt = Prompt(FIXED, f"{self.asked:08d} {SENTENCE * sentences}")
        return Request("generation", str(self.asked), prompt, self._sampling)

    async def deliver(self, answer: Answer) -> None:
        """Note an answer."""
        completion: Completion = answer.completion
        key = answer.request.key
        self.answers[key] = self.answers.get(key, 0) + 1
        self.failures += completion.finish_reason == "error" or not completion.text
        self.landed.append(time.monotonic() - self._began)
        self.latencies.append(completion.seconds)

    def seen(
        self,
        stage: Stage,
        verdicts: list[Verdict],
        refused: list[tuple[float, int]],
        snapshot: EngineSnapshot,
    ) -> Seen:
        """Return what came of it all."""
        return Seen(
            asked=self.asked,
            landed=self.landed,
            latencies=self.latencies,
            unanswered=self.asked - len(self.answers) + self.failures,
            twice=sum(times - 1 for times in self.answers.values()),
            refused=refused,
            marks=stage.marks,
            verdicts=verdicts,
            snapshot=snapshot,
            seconds=time.monotonic() - self._began,
        )


async def perform(
    providers: Sequence[SimulatedOptions],
    client: Client,
    script: Script | None = None,
) -> Seen:
    """Start the providers on the last core, run the engine on the first, stop them.

    Args:
        providers: How each behaves; the engine gets a lane for each.
        client: What the engine is told.
        script: What happens meanwhile.
    """
    cores = sorted(os.sched_getaffinity(0))
    with TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            servers: list[SimulatedServer] = []
            for number, options in enumerate(providers):
                log = Path(folder) / f"{number}.log"
                servers.append(await stack.enter_async_context(simulated_server(options, log)))
                psutil.Process(servers[-1].pid).cpu_affinity(cores[-1:])
            os.sched_setaffinity(0, cores[:1])
            try:
                return await _run(stack, servers, client, script)
            finally:
                os.sched_setaffinity(0, cores)


async def _run(
    stack: AsyncExitStack,
    servers: Sequence[SimulatedServer],
    client: Client,
    script: Script | None,
) -> Seen:
    urls = tuple(server.base_url for server in servers)
    settings = Settings(endpoint=urls, model="simulated", **client.timeouts)  # type: ignore[arg-type]
    endpoints = await open_endpoints(stack, settings, Path(os.devnull), print)
    began = time.monotonic()
    on_stage, questions = Stage(servers, began), _Questions(client, began)
    engine = Engine(
        [Lane(endpoint, client.limits) for endpoint in endpoints],
        questions.deliver,
        EngineOptions(max_in_flight=client.max_in_flight, say=print),
    )
    refused: list[tuple[float, int]] = []
    async with anyio.create_task_group() as beside:
        beside.start_soon(_watch, on_stage, refused, began)
        if script is not None:
            beside.start_soon(script, on_stage)
        await engine.run(questions)
        beside.cancel_scope.cancel()
    verdicts = await on_stage.verdicts()
    refused.append((time.monotonic() - began, _refusals(verdicts)))
    return questions.seen(on_stage, verdicts, refused, engine.snapshot())


async def _watch(stage: Stage, refused: list[tuple[float, int]], began: float) -> None:
    """Look at how many 429s the limits gave."""
    while True:
        verdicts = await stage.verdicts()
        refused.append((time.monotonic() - began, _refusals(verdicts)))
        await asyncio.sleep(POLL)


def _refusals(verdicts: list[Verdict]) -> int:
    return sum(sum(verdict.refused.values()) for verdict in verdicts)
