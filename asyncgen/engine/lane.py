"""One endpoint with one key and model: its gate, window, breaker and counters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.engine.breaker import Breaker
from asyncgen.engine.estimate import TokenEstimate
from asyncgen.engine.gate import Gate
from asyncgen.engine.limits import NOTHING, Bucket, Limits
from asyncgen.engine.snapshot import LaneSnapshot, LaneState, LimitSnapshot
from asyncgen.engine.window import Window
from asyncgen.errors import RateLimitedError, RequestRejectedError, TransientError
from asyncgen.records import Failures

if TYPE_CHECKING:
    import random

    from asyncgen.endpoints.base import Endpoint
    from asyncgen.engine.gate import Passed
    from asyncgen.engine.limits import Amounts
    from asyncgen.engine.retry import RetryPolicy
    from asyncgen.errors import EndpointError
    from asyncgen.records import Reply, Request, Stage, Usage

__all__ = ["Ask", "Flight", "Lane", "Track"]

_ONE: Amounts = (1.0, 0.0, 0.0, 0.0)

_PAUSE = 0.25
"""Seconds that a lane rests after a refusal, at least: its endpoint's bucket is empty."""

_OVERHEAD_TOKENS = 16
"""Output tokens that an answer's latency is worth before its first token."""

_SMOOTHING = 0.05


@dataclass(frozen=True, slots=True)
class Lane:
    """An endpoint and what the user allows it.

    Attributes:
        weight: Its share of the work, relative to other lanes.
        max_in_flight: The most attempts that may be open here; ``None`` for the engine's limit.
        stages: Those whose requests it gets; ``None`` for all.
    """

    endpoint: Endpoint
    limits: Limits = field(default_factory=Limits)
    weight: float = 1.0
    max_in_flight: int | None = None
    stages: frozenset[Stage] | None = None


class Ask(Struct, eq=False):
    """A request on its way to an answer.

    Attributes:
        tries: Attempts so far.
        strikes: What these used up of the attempts that it has.
        failures: Attempts that failed.
        lost_cost: US dollars that attempts may have cost whose answers were lost.
        shunned: The lane that asked to wait, and until when.
        counted: Whether its next attempt is a retry that the retry budget pays for.
    """

    request: Request
    characters: int
    tries: int = 0
    strikes: int = 0
    failures: Failures = Failures()
    lost_cost: float = 0.0
    shunned: Track | None = None
    shunned_until: float = 0.0
    counted: bool = False


class Flight(Struct, eq=False):
    """One attempt that is open.

    Attributes:
        worst: What it may cost at the most, in US dollars.
        width: Attempts that were open at its lane when it was sent, itself included.
        is_down: Whether its outcome was taken in.
    """

    ask: Ask
    track: Track
    passed: Passed
    worst: float
    probe: bool
    width: int
    is_down: bool = False


class Track:
    """A lane at work.

    Args:
        lane: What it works on.
        ceiling: The most attempts that may be open at the engine.
        policy: How patient to be.
        rng: Source of jitter.
        now: The clock's reading, in seconds.

    Attributes:
        in_flight: Attempts that are open.
        has_answered: Whether it ever answered in this session.
        parked_until: Moment until which it gets nothing; infinite for the session.
        why: What it said last when it failed.
    """

    __slots__ = (
        "_latency",
        "_own_ceiling",
        "_ramp",
        "_silent_since",
        "answered",
        "breaker",
        "endpoint",
        "estimate",
        "gate",
        "has_answered",
        "in_flight",
        "parked_until",
        "rate_limited",
        "retried",
        "sent",
        "weight",
        "why",
        "window",
    )

    def __init__(
        self, lane: Lane, ceiling: int, policy: RetryPolicy, rng: random.Random, now: float
    ) -> None:
        self.endpoint = lane.endpoint
        self.weight = max(lane.weight, 1e-9)
        self.gate = Gate(lane.limits, now)
        self._own_ceiling = math.inf if lane.max_in_flight is None else lane.max_in_flight
        self.window = Window(int(min(self._own_ceiling, ceiling)), now)
        if self.gate.is_limited:
            self.window.trust(now)
        self.breaker = Breaker(policy.breaker, rng)
        self.estimate = TokenEstimate()
        self.in_flight = 0
        self.has_answered = False
        self.parked_until = -math.inf
        self.why = ""
        self.sent = self.answered = self.retried = self.rate_limited = 0
        self._latency = 0.0
        self._ramp = Bucket(1.0, burst=4.0, level=4.0, now=now)
        self._silent_since = math.inf

    @property
    def is_untried(self) -> bool:
        """Whether it has neither answered nor failed yet."""
        return not self.has_answered and not self.why

    def amounts(self, ask: Ask) -> Amounts:
        """Return what a request will take from the limits, as far as one can know."""
        if not self.gate.counts_tokens:
            return _ONE
        return self.estimate(ask.request, ask.characters)

    def delay(self, ask: Ask, amounts: Amounts, now: float) -> float:
        """Return the seconds until a request may go here; 0 if it may now.

        Infinite where no time is known: while the window is full, a probe is out,
        the lane is parked for the session, or the request larger than a limit.
        """
        if self.in_flight >= int(self.window.limit):
            return math.inf
        wait = self.parked_until - now
        if (seconds := self.breaker.delay(now)) > wait:
            wait = seconds
        if ask.shunned is self and ask.shunned_until - now > wait:
            wait = ask.shunned_until - now
        if (seconds := self.gate.delay(amounts, now)) > wait:
            wait = seconds
        if self._latency and self.window.is_starting:
            seconds = self._evenly(now)
            wait = max(wait, seconds)
        return wait if wait > 0 else 0.0

    def _evenly(self, now: float) -> float:
        """Return the seconds that a request waits for a slow start not to go in bunches.

        Answers come in bunches, and twice as many requests would follow each: more
        than an endpoint's limit could bear before its first refusal is heard.
        """
        self._ramp.refill(now)
        self._ramp.rate = 2 * self.window.limit / self._latency
        self._ramp.burst = max(4.0, self.window.limit / 16)
        return self._ramp.delay(1.0, now)

    def launch(self, ask: Ask, amounts: Amounts, worst: float, now: float) -> Flight:
        """Count an attempt that is sent."""
        ask.tries += 1
        self.in_flight += 1
        self.sent += 1
        self.window.launched(self.in_flight, now)
        if self.window.is_starting:
            self._ramp.take(1.0, now)
        passed = self.gate.reserve(amounts, now)
        return Flight(ask, self, passed, worst, self.breaker.sent(), self.in_flight)

    def landed(self, flight: Flight, reply: Reply, now: float) -> None:
        """Take in an answer."""
        passed, ask = flight.passed, flight.ask
        usage = reply.completion.usage
        seconds = now - passed.sent_at
        self.window.landed(
            passed.sent_at, seconds / (_OVERHEAD_TOKENS + usage.output_tokens), flight.width, now
        )
        self._leave()
        self._latency += (seconds - self._latency) * (_SMOOTHING if self._latency else 1.0)
        self.has_answered = True
        self.answered += 1
        self._silent_since = math.inf
        self.breaker.succeeded()
        self.estimate.learn(ask.request, ask.characters, usage)
        self.gate.settle(passed, _used(usage), now)
        if reply.hints:
            self.gate.hear(reply.hints, passed, now)
            if self.gate.is_limited:
                self.window.trust(now)

    def failed(self, flight: Flight, error: EndpointError, now: float) -> bool:
        """Take in a failure; return whether the endpoint fails as a whole."""
        passed = flight.passed
        self._leave()
        self.why = str(error)
        lost = isinstance(error, TransientError) and error.possibly_billed
        self.gate.settle(passed, passed.amounts if lost else NOTHING, now)
        self.gate.hear(error.hints, passed, now)
        if isinstance(error, RequestRejectedError):
            self._silent_since = math.inf
            self.breaker.succeeded()
        elif isinstance(error, RateLimitedError):
            self._silent_since = min(self._silent_since, now)
            self.breaker.ended(probe=flight.probe)
            self._refused(passed, error, now)
        elif isinstance(error, TransientError):
            self._silent_since = min(self._silent_since, now)
            self.breaker.failed(error.retry_after or 0.0, now, probe=flight.probe)
            self.window.overloaded(now)
        else:
            self.breaker.ended(probe=flight.probe)
        return self.breaker.is_open

    def dropped(self, flight: Flight, now: float) -> None:
        """Take in that an attempt was cancelled."""
        self._leave()
        self.gate.settle(flight.passed, NOTHING, now)
        self.breaker.ended(probe=flight.probe)

    def park(self, seconds: float | None, reason: str, now: float) -> None:
        """Send nothing for so long; ``None`` for the session."""
        self.parked_until = max(self.parked_until, math.inf if seconds is None else now + seconds)
        self.why = reason

    def rest(self, now: float) -> bool:
        """Park until the day's quota is whole again, if it is used up; return whether it is."""
        day = self.gate.day
        seconds = day.delay(now)
        if seconds > 0:
            number = f"{day.limit:g} " if day.limit < math.inf else ""
            self.park(seconds, f"{self.endpoint.name}: the {number}requests a day are used up", now)
        return seconds > 0

    def silent(self, now: float) -> float:
        """Return for how many seconds every attempt has failed.

        From the first failure on, not from when that was sent: the clock may have leaped since.
        """
        return max(0.0, now - self._silent_since)

    def close(self, floor: float, rng: random.Random, now: float) -> None:
        """Send nothing before the time that the endpoint asked to wait, and a little longer."""
        if now + floor > self.gate.closed_until:
            self.gate.close(floor * rng.uniform(1.0, 1.25), now)

    def widen(self, own: int | None, ceiling: int, now: float) -> None:
        """Set the most attempts that may be open here, and at the engine."""
        if own is not None:
            self._own_ceiling = own
        self.window.adjust(int(min(self._own_ceiling, ceiling)), now)

    def snapshot(self, now: float) -> LaneSnapshot:
        """Return how it stands."""
        state, until = self._state(now)
        return LaneSnapshot(
            name=self.endpoint.name,
            in_flight=self.in_flight,
            window=int(self.window.limit),
            state=state,
            until=until,
            why="" if state == "open" else self.why,
            limits=tuple(
                LimitSnapshot(
                    meter=one.meter,
                    per_minute=one.per_minute,
                    learned=one.learned <= one.limit,
                    left=None if one.mirror is None else max(one.mirror.read(now), 0.0),
                    used=one.used(now),
                )
                for one in self.gate.allowances
                if one.bucket is not None
            ),
            pace=None if self.gate.pace.cap is None else self.gate.pace.cap * 60,
            answered=self.answered,
            retried=self.retried,
            rate_limited=self.rate_limited,
        )

    def _state(self, now: float) -> tuple[LaneState, float | None]:
        if self.parked_until > now:
            left = self.parked_until - now
            return "parked", None if left == math.inf else left
        if self.breaker.is_open:
            return "broken", max(self.breaker.until - now, 0.0)
        wait = self.gate.delay(_ONE, now)
        return ("waiting", wait) if wait > 0 else ("open", None)

    def _refused(self, passed: Passed, error: RateLimitedError, now: float) -> None:
        self.rate_limited += 1
        if error.too_steep:
            episode = self.gate.pace.too_steep(passed.number, now)
        else:
            episode = self.gate.refused(passed, now)
        if episode:
            # By Little's law, and a quarter more.
            needed = 1.25 * (self.gate.pace.cap or 0.0) * self._latency
            self.window.congested(passed.sent_at, needed, now)
            self.gate.close(_PAUSE, now)

    def _leave(self) -> None:
        self.in_flight -= 1


def _used(usage: Usage) -> Amounts:
    fresh = usage.input_tokens - usage.cached_tokens
    total = usage.input_tokens + usage.output_tokens
    return 1.0, float(total), float(fresh), float(usage.output_tokens)
