"""The loop that keeps requests in flight.

One synchronous method, :meth:`Engine._decide`, looks at everything and says
what comes next; the loop around it launches that or waits. No place is held
while a request backs off, and nothing polls: whatever changes the answer of
``_decide`` sets the wake-up event.
"""

from __future__ import annotations

import heapq
import random
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Protocol

import anyio
import msgspec

from asyncgen.engine.lane import Lane, pick_lane
from asyncgen.engine.retry import GiveUp, RejectRequest, RetryLater, RetryPolicy, verdict
from asyncgen.errors import AsyncgenError, TransientError
from asyncgen.records import Answer, Completion, Usage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncgen.engine.limits import Cost
    from asyncgen.records import Request

__all__ = ["Engine", "EngineOptions", "EngineSnapshot", "Source"]


class Source(Protocol):
    """Where requests come from."""

    @property
    def finished(self) -> bool:
        """Whether no further request is wanted."""
        ...

    def next_request(self) -> Request | None:
        """Hand over the most urgent request; ``None`` if there is none at present."""
        ...


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the engine works.

    Attributes:
        max_in_flight: Ceiling of simultaneous attempts.
        retry: How patiently to try again.
        clock: Returns seconds, monotonic.
        rng: Source of jitter.
    """

    max_in_flight: int = 64
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    clock: Callable[[], float] = time.monotonic
    rng: random.Random = field(default_factory=random.Random)


@dataclass(frozen=True, slots=True)
class EngineSnapshot:
    """What the engine has done in this session.

    Attributes:
        backing_off: Requests that wait for another attempt.
        possibly_billed: Attempts without an answer that may cost money all the same.
    """

    in_flight: int
    backing_off: int
    answered: int
    retried: int
    possibly_billed: int
    usage: Usage


@dataclass(slots=True, order=True)
class _Pending:
    """A request that waits for another attempt; the earliest comes first."""

    due: float
    tie: int
    request: Request = field(compare=False)
    attempt: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Launch:
    request: Request
    attempt: int
    lane: Lane
    reserved: Cost


@dataclass(frozen=True, slots=True)
class _Wait:
    """Wait for a change, at most so many seconds."""

    seconds: float | None


class Engine:
    """Sends what a source has to ask and hands on what comes back.

    Args:
        lanes: Endpoints with their limits, opened by the caller.
        deliver: Awaited with each answer; a request counts as done when it returns.
        options: How to work.
    """

    def __init__(
        self,
        lanes: list[Lane],
        deliver: Callable[[Answer], Awaitable[None]],
        options: EngineOptions | None = None,
    ) -> None:
        self._lanes = lanes
        self._deliver = deliver
        self._options = options or EngineOptions()
        self._now = self._options.clock
        self._retries: list[_Pending] = []
        self._held: Request | None = None
        self._open = 0
        self._tie = count()
        self._stopping = False
        self._error: AsyncgenError | RuntimeError | None = None
        self._wake = anyio.Event()
        self._counts = dict.fromkeys(("answered", "retried", "possibly_billed"), 0)
        self._usage = Usage()

    async def run(self, source: Source) -> None:
        """Work until the source is finished, :meth:`stop` is called or an error ends it.

        What is in the air at the end is waited for where it is paid for.

        Raises:
            EndpointRefusedError: If an endpoint refuses for good.
            RunPausedError: If no answer can be had for now.
            AsyncgenError: What the source or ``deliver`` raises.
            RuntimeError: If the source is neither finished nor has anything to ask.
        """
        async with anyio.create_task_group() as tasks:
            while True:
                self._wake = anyio.Event()
                match self._decide(source):
                    case _Launch() as launch:
                        self._reserve(launch)
                        tasks.start_soon(self._attempt, launch)
                    case _Wait(seconds):
                        with anyio.move_on_after(seconds):
                            await self._wake.wait()
                    case None:
                        break
            if not self._worth_waiting():
                tasks.cancel_scope.cancel()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Launch nothing more; :meth:`run` returns when the air is clear."""
        self._stopping = True
        self._wake.set()

    def snapshot(self) -> EngineSnapshot:
        """Return the counters as they stand."""
        return EngineSnapshot(
            in_flight=self._in_flight,
            backing_off=len(self._retries),
            usage=self._usage,
            **self._counts,
        )

    @property
    def _in_flight(self) -> int:
        return sum(lane.in_flight for lane in self._lanes)

    def _decide(self, source: Source) -> _Launch | _Wait | None:
        """Say what comes next: an attempt, a wait, or the end."""
        if self._stopping or self._error is not None or source.finished:
            return None
        if self._in_flight >= self._options.max_in_flight:
            return _Wait(None)
        now = self._now()
        try:
            candidate = self._next(source, now)
            if candidate is not None:
                return self._route(candidate, now)
        except AsyncgenError as error:
            self._error = error
            return None
        seconds = self._retries[0].due - now if self._retries else None
        if seconds is None and self._open == 0:
            self._error = RuntimeError("the source is not finished, but has nothing to ask")
            return None
        return _Wait(seconds)

    def _next(self, source: Source, now: float) -> _Pending | None:
        """Return the request to send: one that is due again, one held back, or a new one."""
        if self._retries and self._retries[0].due <= now:
            return heapq.heappop(self._retries)
        request = self._held or source.next_request()
        self._held = None
        return None if request is None else _Pending(now, next(self._tie), request, 0)

    def _route(self, candidate: _Pending, now: float) -> _Launch | _Wait:
        request = candidate.request
        lane, delay = pick_lane(self._lanes, request, now)
        if delay <= 0:
            return _Launch(request, candidate.attempt + 1, lane, lane.cost_of(request))
        if candidate.attempt > 0:
            heapq.heappush(self._retries, candidate)
        else:
            self._held = request
        return _Wait(delay)

    def _reserve(self, launch: _Launch) -> None:
        launch.lane.limits.reserve(launch.reserved, self._now())
        launch.lane.in_flight += 1
        self._open += 1

    async def _attempt(self, launch: _Launch) -> None:
        """Make one attempt and act on its outcome; runs in the engine's task group."""
        try:
            completion = await self._send(launch)
            if completion is not None:
                await self._deliver(Answer(launch.request, completion))
        except AsyncgenError as error:
            self._error = self._error or error
        finally:
            self._open -= 1
            self._wake.set()

    async def _send(self, launch: _Launch) -> Completion | None:
        lane, request, used = launch.lane, launch.request, 0
        try:
            completion = (await lane.endpoint.send(request)).completion
            used = completion.usage.input_tokens + completion.usage.output_tokens
        except AsyncgenError as error:
            return self._failed(launch, error)
        finally:
            lane.in_flight -= 1
            lane.limits.settle(launch.reserved, used, self._now())
            self._wake.set()

        lane.has_answered = True
        lane.estimate.learn(request, completion.usage.input_tokens, completion.usage.output_tokens)
        self._counts["answered"] += 1
        self._usage += completion.usage
        return msgspec.structs.replace(completion, attempts=launch.attempt)

    def _failed(self, launch: _Launch, error: AsyncgenError) -> Completion | None:
        """Act on a failed attempt; a request that will never be answered is answered so."""
        if isinstance(error, TransientError) and error.possibly_billed:
            self._counts["possibly_billed"] += 1
        decision = verdict(
            error,
            launch.attempt,
            policy=self._options.retry,
            has_answered=launch.lane.has_answered,
            rng=self._options.rng,
        )
        match decision:
            case RetryLater(delay, floor):
                now = self._now()
                self._counts["retried"] += 1
                launch.lane.limits.close_until(now + floor)
                again = _Pending(now + delay, next(self._tie), launch.request, launch.attempt)
                heapq.heappush(self._retries, again)
            case RejectRequest(said):
                return Completion(
                    text=said,
                    finish_reason="error",
                    endpoint=launch.lane.endpoint.name,
                    attempts=launch.attempt,
                )
            case GiveUp(reason):
                self._error = self._error or reason
        return None

    def _worth_waiting(self) -> bool:
        """Whether what is in the air at the end may bring answers that cost money."""
        if self._error is not None:
            # Before the first answer the key, path or model is wrong: the rest will fare alike.
            return any(lane.has_answered for lane in self._lanes)
        return self._stopping or any(lane.endpoint.paid for lane in self._lanes)
