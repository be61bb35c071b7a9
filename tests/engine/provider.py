"""A model of a provider in virtual time: buckets, queues, faults, and headers that say so."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asyncgen.errors import RateLimitedError
from asyncgen.records import Completion, RateHint, Reply, Usage

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from asyncgen.errors import AsyncgenError
    from asyncgen.records import Meter, Request

__all__ = ["Provider", "ServerBucket"]


class ServerBucket:
    """A token bucket as a server keeps it: refilled continuously, a second of its rate at most."""

    def __init__(self, per_minute: float, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self.taken = 0.0
        self._at = 0.0
        self.change(per_minute, 0.0)
        self.level = self.most

    def change(self, per_minute: float, now: float) -> None:
        """Enforce another rate."""
        if now:
            self.read(now)
        self.rate = per_minute / 60
        self.most = max(1.0, self.rate * self.seconds)
        self.level = min(getattr(self, "level", self.most), self.most)

    def read(self, now: float) -> float:
        """Return what is left."""
        self.level = min(self.most, self.level + (now - self._at) * self.rate)
        self._at = now
        return self.level

    def take(self, amount: float, now: float) -> bool:
        """Take an amount if there is so much; more than it ever holds goes when it is full."""
        if self.read(now) + 1e-9 < min(amount, self.most):
            return False
        self.level -= amount
        self.taken += amount
        return True


@dataclass
class Provider:
    """An endpoint that enforces limits, has a queue and fails, by the clock of the loop.

    Attributes:
        rpm: Requests a minute that it accepts; ``None`` for any number.
        tpm: Tokens a minute, input and output.
        headers: Whether it says what is left, as of when a request was let in.
        retry_after: Whether a refusal says how long to wait.
        latency: Seconds from being let in to the answer, for a free slot.
        network: The most that the way there takes, in seconds; each way is drawn evenly.
        refusal: Seconds that a refusal takes.
        slots: Requests that are worked on at a time; the others queue.
        charge: Tokens that a request is charged at once, by what it asks for; by default what
            it really uses.
        fault: Called with the moment of arrival and the request; what it returns is raised.
        accepted: Moments at which requests were let in.
        refused: Moments at which requests were refused for the rate.
        early: Retries that came before their Retry-After.
        keys: How often each request was answered.
    """

    rpm: float | None = None
    tpm: float | None = None
    headers: bool = False
    retry_after: bool = True
    latency: Callable[[random.Random], float] = lambda _rng: 0.2
    network: float = 0.05
    refusal: float = 0.02
    slots: int | None = None
    tokens: Callable[[Request], tuple[int, int]] = lambda _request: (100, 50)
    charge: Callable[[Request], float] | None = None
    fault: Callable[[float, Request], AsyncgenError | None] = lambda _now, _request: None
    burst: float = 1.0
    name: str = "provider"
    identity: str = "model"
    paid: bool = True
    price: float | None = 0.0
    cost: float | None = None
    seed: int = 1
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)
    answered: dict[str, int] = field(default_factory=dict)
    early: int = 0
    in_flight: int = 0
    most_in_flight: int = 0

    def __post_init__(self) -> None:
        self.buckets: dict[Meter, ServerBucket] = {}
        if self.rpm is not None:
            self.buckets["requests"] = ServerBucket(self.rpm, self.burst)
        if self.tpm is not None:
            self.buckets["tokens"] = ServerBucket(self.tpm, self.burst)
        self._rng = random.Random(self.seed)
        self._not_before: dict[str, float] = {}
        self._queue = asyncio.Semaphore(self.slots or 10**9)

    async def send(self, request: Request) -> Reply:
        """Let a request in or refuse it; answer it when its turn has come."""
        now = asyncio.get_running_loop().time
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self._rng.uniform(0, self.network))
            return await self._serve(request, now)
        finally:
            self.in_flight -= 1

    async def _serve(self, request: Request, now: Callable[[], float]) -> Reply:
        moment = now()
        self.arrived.append(moment)
        self.early += moment < self._not_before.pop(request.key, 0.0) - 1e-9
        used = self.tokens(request)
        if (problem := self.fault(moment, request)) is not None:
            await asyncio.sleep(self.refusal)
            if (asked := getattr(problem, "retry_after", None)) is not None:
                self._not_before[request.key] = now() + asked
            raise problem
        amounts: dict[Meter, float] = {
            "requests": 1.0,
            "tokens": float(sum(used)) if self.charge is None else self.charge(request),
        }
        if (wait := self._let_in(amounts, moment)) is not None:
            self.refused.append(moment)
            error = RateLimitedError("rate limit", retry_after=wait if self.retry_after else None)
            error.hints = self._hints(moment)
            await asyncio.sleep(self.refusal)
            if self.retry_after:
                self._not_before[request.key] = now() + wait
            raise error
        self.accepted.append(moment)
        hints = self._hints(moment)
        async with self._queue:
            await asyncio.sleep(self.latency(self._rng))
        self.durations.append(now() - moment)
        self.answered[request.key] = self.answered.get(request.key, 0) + 1
        completion = Completion(
            text="fine",
            finish_reason="stop",
            usage=Usage(*used),
            endpoint=self.name,
            cost=self.cost,
        )
        return Reply(completion, hints)

    def _let_in(self, amounts: dict[Meter, float], now: float) -> float | None:
        """Take what a request needs; or return the seconds until it could be had."""
        lacking = 0.0
        for meter, bucket in self.buckets.items():
            need = min(amounts[meter], bucket.most) - bucket.read(now)
            if need > 1e-9:
                lacking = max(lacking, need / bucket.rate)
        if lacking:
            return lacking
        for meter, bucket in self.buckets.items():
            bucket.take(amounts[meter], now)
        return None

    def _hints(self, now: float) -> tuple[RateHint, ...]:
        if not self.headers:
            return ()
        return tuple(
            RateHint(
                meter=meter,
                window=60,
                limit=bucket.rate * 60,
                remaining=float(int(max(bucket.read(now), 0.0))),
            )
            for meter, bucket in self.buckets.items()
        )

    def worst_cost(self, request: Request) -> float | None:
        """Return what was given."""
        return self.price

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None
