"""Load on an endpoint: a fixed number of slots, each asking one request after the other.

Nothing is retried, and nothing is asked after the first refusal for the rate.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from asyncgen.bench.levels import Outcome, most_requests, summary
from asyncgen.bench.purse import Purse
from asyncgen.errors import (
    AsyncgenError,
    BadAnswerError,
    EndpointError,
    EndpointRefusedError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    RequestRejectedError,
    RunPausedError,
    TimedOutError,
    TransientError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from asyncgen.bench.levels import Level
    from asyncgen.endpoints.base import Endpoint
    from asyncgen.records import Meter, RateHint, Request, Usage

__all__ = ["Bounds", "FirstRefusal", "Load"]

_MINUTE = 60.0  # seconds

_CLASSES: tuple[tuple[type[EndpointError], str], ...] = (
    (RateLimitedError, "rate_limited"),
    (OverloadedError, "overloaded"),
    (TimedOutError, "timed_out"),
    (BadAnswerError, "bad_answer"),
    (UnreachableError, "unreachable"),
    (TransientError, "transient"),
    (RequestRejectedError, "rejected"),
    (EndpointError, "other"),
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be asked.

    Attributes:
        seconds: Of one level.
        max_requests: In all; ``None`` for as many as the levels have.
        max_cost: US dollars in all; ``None`` for no bound.
    """

    seconds: float = 10.0
    max_requests: int | None = None
    max_cost: float | None = None


@dataclass(frozen=True, slots=True)
class FirstRefusal:
    """The first refusal for the rate.

    Attributes:
        in_flight: The level.
        requests: Asked in all before it was known.
        after: Seconds since the beginning.
        in_a_minute: Asked in the last minute.
        requests_per_s: Asked at this level; in less than a second as if in one.
        retry_after: Seconds that the endpoint asked to wait, if it did.
        said: What it said.
    """

    in_flight: int
    requests: int
    after: float
    in_a_minute: int
    requests_per_s: float
    retry_after: float | None
    said: str


@dataclass(slots=True, eq=False)
class _Stage:
    """One level while it lasts."""

    in_flight: int
    begun: float
    cpu: float
    left: int
    asked: int = 0
    in_vain: int = 0  # failures since the last answer
    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    full_until: float | None = None  # seconds since it began, once a slot has nothing to ask


class Load:
    """Asks one endpoint, level by level; holds what was spent and said meanwhile.

    Args:
        endpoint: Open.
        questions: Never ends.
        bounds: How much may be asked.
        clock: Returns seconds.

    Attributes:
        asked: Attempts so far.
        purse: What they cost.
        hints: The last that was said of each limit, by what it counts and its seconds.
        first_refusal: For the rate.
        stopped: Why nothing more is asked: ``max_requests``, ``max_cost``, ``rate_limited`` or
            ``refused``.
        problem: What ended it, if it was ``refused``.
        said: What the last failed attempt said.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        questions: Iterator[Request],
        bounds: Bounds,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.asked = 0
        self.purse = Purse(bounds.max_cost)
        self.hints: dict[tuple[Meter, float], RateHint] = {}
        self.first_refusal: FirstRefusal | None = None
        self.stopped: str | None = None
        self.problem: AsyncgenError | None = None
        self.said = ""
        self._endpoint = endpoint
        self._questions = questions
        self._bounds = bounds
        self._clock = clock
        self._begun = clock()
        self._started: list[float] = []
        self._stage: _Stage | None = None

    async def first(self) -> None:
        """Ask once, to find out whether anything answers; this opens the first connection, too.

        Raises:
            EndpointRefusedError: If nothing does, or not to this request.
            RunPausedError: If no quota is left, or not even one request is within the rate.
        """
        stage = self._staged(1)
        asked = self._next(stage)
        error = None if asked is None else await self._attempt(stage, *asked)
        if isinstance(error, UnreachableError | RequestRejectedError):
            raise EndpointRefusedError(str(error)) from error
        if isinstance(error, RateLimitedError):
            raise RunPausedError(f"the first request is refused already: {error}") from error
        if self.problem is not None:
            raise self.problem

    async def level(self, in_flight: int) -> Level:
        """Keep so many requests in flight until the time, the requests or a bound is reached."""
        stage = self._stage = self._staged(in_flight)
        async with anyio.create_task_group() as tasks:
            for _ in range(in_flight):
                tasks.start_soon(self._slot, stage)
        self._stage = None
        return self._summary(stage)

    def unfinished(self) -> Level | None:
        """Return what the level came to that was broken off, if one was and had any answer."""
        stage = self._stage
        return None if stage is None or not stage.outcomes else self._summary(stage)

    def _staged(self, in_flight: int) -> _Stage:
        most = most_requests(in_flight, self._bounds.seconds)
        return _Stage(in_flight, self._clock(), time.process_time(), most)

    def _summary(self, stage: _Stage) -> Level:
        took = self._clock() - stage.begun
        cpu = (time.process_time() - stage.cpu) / took if took > 0 else 0.0
        full_until = took if stage.full_until is None else stage.full_until
        return summary(stage.in_flight, stage.outcomes, full_until, cpu=cpu)

    async def _slot(self, stage: _Stage) -> None:
        while (asked := self._next(stage)) is not None:
            await self._attempt(stage, *asked)
        if stage.full_until is None:
            stage.full_until = self._clock() - stage.begun

    def _next(self, stage: _Stage) -> tuple[Request, float | None] | None:
        """Return what to ask now and the cost set aside; ``None`` if there is nothing to ask."""
        if self.stopped is not None or not self._lasts(stage):
            return None
        if self.asked == self._bounds.max_requests:
            self.stopped = "max_requests"
            return None
        request = next(self._questions)
        worst = self._endpoint.worst_cost(request)
        if not self.purse.take(worst):
            self.stopped = "max_cost"
            return None
        self.asked += 1
        stage.asked += 1
        stage.left -= 1
        return request, worst

    def _lasts(self, stage: _Stage) -> bool:
        # Where nothing is answered any more, failures come fast: not all requests are spent on it.
        return (
            stage.left > 0
            and stage.in_vain < max(20, 2 * stage.in_flight)
            and (
                stage.asked < stage.in_flight or self._clock() - stage.begun < self._bounds.seconds
            )
        )

    async def _attempt(
        self, stage: _Stage, request: Request, worst: float | None
    ) -> AsyncgenError | None:
        """Ask once and note what came of it; return the failure."""
        cost = worst
        started = self._clock()
        self._started.append(started)
        try:
            reply = await self._endpoint.send(request)
        except AsyncgenError as error:
            cost = worst if isinstance(error, TransientError) and error.possibly_billed else 0.0
            self._note_failure(stage, error, started)
            return error
        else:
            stage.in_vain = 0
            stage.outcomes.append(self._outcome(stage, started, usage=reply.completion.usage))
            self._heed(reply.hints)
            cost = worst if reply.completion.cost is None else reply.completion.cost
            return None
        finally:
            # What is dropped may be billed: its cost is the worst then.
            self.purse.settle(worst, cost)

    def _outcome(
        self, stage: _Stage, started: float, *, usage: Usage | None = None, failure: str = ""
    ) -> Outcome:
        now = self._clock()
        return Outcome(now - stage.begun, now - started, usage, failure)

    def _note_failure(self, stage: _Stage, error: AsyncgenError, started: float) -> None:
        self.said = str(error)
        if not isinstance(error, EndpointError) or isinstance(error, QuotaError):
            paused = isinstance(error, QuotaError)
            self.problem = self.problem or (RunPausedError(str(error)) if paused else error)
            self.stopped = "refused"
            return
        stage.in_vain += 1
        kind = next(name for kind, name in _CLASSES if isinstance(error, kind))
        stage.outcomes.append(self._outcome(stage, started, failure=kind))
        self._heed(error.hints)
        if isinstance(error, RateLimitedError) and self.first_refusal is None:
            self.stopped = self.stopped or "rate_limited"
            self.first_refusal = self._refusal(stage, error)

    def _refusal(self, stage: _Stage, error: RateLimitedError) -> FirstRefusal:
        now = self._clock()
        return FirstRefusal(
            in_flight=stage.in_flight,
            requests=self.asked,
            after=now - self._begun,
            in_a_minute=sum(now - started <= _MINUTE for started in self._started),
            requests_per_s=stage.asked / max(1.0, now - stage.begun),
            retry_after=error.retry_after,
            said=str(error),
        )

    def _heed(self, hints: Iterable[RateHint]) -> None:
        for hint in hints:
            known = self.hints.get((hint.meter, hint.window))
            # Where the values decide, some answers cannot tell what others have told.
            if hint.limit is not None and (hint.certain or known is None or not known.certain):
                self.hints[hint.meter, hint.window] = hint
