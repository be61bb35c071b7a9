"""The loop that keeps requests in flight.

One synchronous method, :meth:`Engine._decide`, looks at everything and says
what comes next; the loop around it launches that or waits. No place is held
while a request backs off, and nothing polls: whatever changes the answer of
``_decide`` wakes the loop, once for all that happened since it looked.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from asyncgen.engine.budget import Budget
from asyncgen.engine.collector import collecting_seldom
from asyncgen.engine.intake import Intake
from asyncgen.engine.lane import Flight, Track
from asyncgen.engine.limits import Limits
from asyncgen.engine.retry import (
    GiveUp,
    Park,
    RejectRequest,
    Retire,
    RetryLater,
    RetryPolicy,
    Situation,
    counted,
    verdict,
)
from asyncgen.engine.router import Route, in_words, pick, priced
from asyncgen.engine.snapshot import Adjustment, EngineSnapshot
from asyncgen.engine.team import teams_of
from asyncgen.errors import AsyncgenError, EndpointError, InputError, TransientError
from asyncgen.records import Answer, Completion, Usage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from asyncgen.engine.intake import Memory, Source
    from asyncgen.engine.lane import Ask, Lane
    from asyncgen.engine.team import Team
    from asyncgen.records import Reply, Stage

__all__ = ["Engine", "EngineOptions"]

_SHORTEST_SLEEP = 0.001
"""Seconds. Timers of event loops are no finer."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the engine works.

    Attributes:
        max_in_flight: Ceiling of simultaneous attempts, over all lanes.
        retry: How patiently to try again.
        max_cost: US dollars that may be spent, ``None`` for no limit.
        spent: US dollars that were spent in earlier sessions.
        memory: Asked before any endpoint is.
        say: Takes lines for the user: a lane that is retired, say.
        clock: Returns seconds, monotonic.
        rng: Source of jitter.
    """

    max_in_flight: int = 64
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    max_cost: float | None = None
    spent: float = 0.0
    memory: Memory | None = None
    say: Callable[[str], None] = lambda _line: None
    clock: Callable[[], float] = time.monotonic
    rng: random.Random = field(default_factory=random.Random)


class Engine:
    """Sends what a source has to ask and hands on what comes back.

    Args:
        lanes: Endpoints with their limits, opened by the caller.
        deliver: Awaited with each answer; a request counts as done when it returns.
        options: How to work.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        deliver: Callable[[Answer], Awaitable[None]],
        options: EngineOptions | None = None,
    ) -> None:
        self._options = options or EngineOptions()
        self._policy = self._options.retry
        self._now = self._options.clock
        now = self._now()
        self._ceiling = self._options.max_in_flight
        self._tracks = [
            Track(lane, self._ceiling, self._policy, self._options.rng, now) for lane in lanes
        ]
        self._deliver = deliver
        self._budget = Budget(self._options.max_cost, self._options.spent)
        self._teams = teams_of(lanes, self._tracks, self._policy, now)
        self._latest: Ask | None = None
        self._attempts: dict[Flight, asyncio.Task[None]] = {}
        self._in_flight = 0
        self._stopping = False
        self._error: AsyncgenError | RuntimeError | None = None
        self._wake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._possibly_billed = 0
        self._usage = Usage()
        self._recalled = 0

    async def run(self, source: Source) -> None:
        """Work until the source is finished, :meth:`stop` is called or an error ends it.

        What is in the air at the end is waited for where it is paid for.

        Raises:
            EndpointRefusedError: If an endpoint refuses for good.
            RunPausedError: If no answer can be had for now, or the budget is used up.
            AsyncgenError: What the source or ``deliver`` raises.
            RuntimeError: If the source is neither finished nor has anything to ask.
        """
        intakes = [Intake(source, self._options.memory, team) for team in self._teams]
        try:
            with collecting_seldom():
                async with asyncio.TaskGroup() as tasks:
                    await self._work(intakes, tasks)
                    if not self._worth_waiting():
                        for attempt in self._attempts.values():
                            attempt.cancel()
        finally:
            self._sleep(None)
            for flight in tuple(self._attempts):
                # It was cancelled before it began.
                self._ended(flight)
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Launch nothing more; :meth:`run` returns when the air is clear."""
        self._stopping = True
        self._kick()

    def adjust(self, change: Adjustment) -> None:
        """Change limits while it works; they hold for the next request.

        Raises:
            InputError: If no lane has that name.
            EndpointRefusedError: If cost is to be limited, but no price is known.
        """
        now = self._now()
        chosen = [one for one in self._tracks if change.lane in {None, one.endpoint.name}]
        if not chosen:
            names = ", ".join(one.endpoint.name for one in self._tracks)
            raise InputError(f"no endpoint is called {change.lane!r}; there are: {names}")
        if change.max_cost is not None:
            self._limit_cost(change.max_cost)
        limits = Limits(change.rpm, change.tpm, change.input_tpm, change.output_tpm, change.rpd)
        own = change.max_in_flight if change.lane is not None else None
        if change.max_in_flight is not None and change.lane is None:
            self._ceiling = change.max_in_flight
        for track in chosen:
            track.gate.adjust(limits, now)
            track.widen(own, self._ceiling, now)
        self._kick()

    def _limit_cost(self, cap: float) -> None:
        """Set the budget; what was sent while there was none is reserved now."""
        if cap < math.inf:
            if self._latest is not None:  # nothing may be in the air at present to tell by
                for track in self._tracks:
                    priced(track, self._latest)

            flying = [one for one in self._attempts if not one.is_down]
            worst = [one.worst or priced(one.track, one.ask) for one in flying]
            for one, most in zip(flying, worst, strict=True):
                one.worst = most
            self._budget.in_air = sum(worst)
        self._budget.cap = cap

    def snapshot(self) -> EngineSnapshot:
        """Return how everything stands."""
        now = self._now()
        lanes = tuple(track.snapshot(now) for track in self._tracks)
        return EngineSnapshot(
            in_flight=self._in_flight,
            backing_off=sum(len(team.backlog) for team in self._teams),
            answered=sum(lane.answered for lane in lanes),
            retried=sum(lane.retried for lane in lanes),
            rate_limited=sum(lane.rate_limited for lane in lanes),
            recalled=self._recalled,
            possibly_billed=self._possibly_billed,
            usage=self._usage,
            spent=self._budget.spent,
            in_air=self._budget.in_air,
            lost=self._budget.lost,
            max_cost=self._budget.cap if self._budget.is_capped else None,
            lanes=lanes,
        )

    async def _work(self, intakes: Sequence[Intake], tasks: asyncio.TaskGroup) -> None:
        """Launch and wait until nothing more is to be launched."""
        loop = asyncio.get_running_loop()
        while (decision := self._decide(intakes)) is not None:
            if isinstance(decision, Flight):
                self._attempts[decision] = tasks.create_task(self._attempt(decision))
            elif isinstance(decision, Answer):
                await self._hand_over(decision)
            else:
                self._wake = loop.create_future()
                self._sleep(decision)
                await self._wake

    def _decide(self, intakes: Sequence[Intake]) -> Flight | Answer | float | None:
        """Say what comes next: an attempt, a known answer, so many seconds of waiting, the end."""
        if self._stopping or self._error is not None:
            return None
        try:
            decision = None if intakes[0].finished else self._next(intakes, self._now())
        except AsyncgenError as error:
            self._error = error
            return None
        if decision == math.inf and not self._attempts:
            self._error = RuntimeError("the source is not finished, but has nothing to ask")
            return None
        return decision

    def _next(self, intakes: Sequence[Intake], now: float) -> Flight | Answer | float:
        """Launch what a team can take now, or name the wait.

        What is known takes no place in flight, so it comes first.
        """
        for intake in intakes:
            if (answer := intake.known()) is not None:
                return answer
        if self._in_flight >= self._ceiling:
            return math.inf
        soonest = math.inf
        for team, intake in zip(self._teams, intakes, strict=True):
            found = self._next_of(team, intake, now)
            if isinstance(found, Flight):
                return found
            soonest = min(soonest, found)
        return soonest

    def _next_of(self, team: Team, intake: Intake, now: float) -> Flight | float:
        """Launch a retry that is due, else what was held back or is new; or name the wait."""
        wait = team.backlog.wait(now)
        queue = team.backlog if wait <= 0 else intake
        if (ask := queue.next()) is None:
            return wait
        route = pick(team.tracks, ask, self._budget, self._policy.longest_wait, now)
        if not isinstance(route, Route):
            return route if wait <= 0 else min(wait, route)
        queue.sent()
        if ask.tries == 0:
            team.backlog.earn()
        return self._launch(ask, route, now)

    def _launch(self, ask: Ask, route: Route, now: float) -> Flight:
        self._latest = ask
        self._budget.reserve(route.worst)
        self._in_flight += 1
        return route.track.launch(ask, route.amounts, route.worst, now)

    async def _attempt(self, flight: Flight) -> None:
        """Make one attempt and act on its outcome; owned by the engine's task group."""
        try:
            try:
                reply = await flight.track.endpoint.send(flight.ask.request)
            except AsyncgenError as error:
                completion = self._failed(flight, error)
            else:
                completion = self._landed(flight, reply)
            if completion is not None:
                self._kick()
                answer = Answer(flight.ask.request, completion)
                await self._deliver(answer)
                if self._options.memory is not None:
                    self._options.memory.keep(answer, flight.track.endpoint.identity)
        except AsyncgenError as error:
            self._error = self._error or error
        finally:
            self._ended(flight)

    async def _hand_over(self, answer: Answer) -> None:
        """Deliver what was known, one after the other: it may make the next request needless."""
        try:
            await self._deliver(answer)
            self._recalled += 1
        except AsyncgenError as error:
            self._error = self._error or error
        # However many there are, what is in the air goes on.
        await asyncio.sleep(0)

    def _ended(self, flight: Flight) -> None:
        """Count off an attempt; one that was cancelled never landed."""
        del self._attempts[flight]
        if not flight.is_down:
            self._touch_down(flight)
            self._budget.lose(flight.worst)
            flight.track.dropped(flight, self._now())
        self._kick()

    def _touch_down(self, flight: Flight) -> None:
        flight.is_down = True
        self._in_flight -= 1

    def _landed(self, flight: Flight, reply: Reply) -> Completion:
        completion, ask = reply.completion, flight.ask
        self._touch_down(flight)
        flight.track.landed(flight, reply, self._now())
        unknown = flight.worst if completion.cost is None else completion.cost
        self._budget.settle(flight.worst, unknown)
        self._usage += completion.usage
        if ask.tries == 1:
            return completion
        return msgspec.structs.replace(completion, failures=ask.failures, lost_cost=ask.lost_cost)

    def _failed(self, flight: Flight, error: AsyncgenError) -> Completion | None:
        """Act on a failed attempt; a request that will never be answered is answered so."""
        track, ask, now = flight.track, flight.ask, self._now()
        self._touch_down(flight)
        if not isinstance(error, EndpointError):
            track.dropped(flight, now)
            outage = False
        else:
            outage = track.failed(flight, error, now)
        self._charge(flight, error)
        before, ask.failures = ask.failures, counted(ask.failures, error)
        if track.silent(now) > self._policy.longest_wait:
            reason = f"no answer for {in_words(track.silent(now))}: {error}"
            self._stand_down(flight, Park(None, reason), now)
            return None
        team = self._team_of(ask.request.stage)
        seen = Situation(
            ask.strikes,
            ask.tries,
            track.has_answered,
            _others_answer(team, track, now),
            any(one.is_untried for one in team.tracks),
            outage,
        )
        match verdict(error, seen, self._policy, self._options.rng):
            case RetryLater() as again:
                self._retry(flight, again, now)
            case RejectRequest(said):
                return Completion(
                    text=said,
                    finish_reason="error",
                    endpoint=track.endpoint.name,
                    failures=before,
                    lost_cost=ask.lost_cost,
                )
            case GiveUp(final):
                self._error = self._error or final
            case Park() | Retire() as decision:
                self._stand_down(flight, decision, now)
        return None

    def _charge(self, flight: Flight, error: AsyncgenError) -> None:
        if not (isinstance(error, TransientError) and error.possibly_billed):
            self._budget.settle(flight.worst, 0.0)
            return
        self._possibly_billed += 1
        # Without a cap nothing was reserved, but what may be lost is told all the same.
        capped = self._budget.is_capped
        worst = flight.worst if capped else flight.track.endpoint.worst_cost(flight.ask.request)
        self._budget.lose(worst or 0.0)
        flight.ask.lost_cost += worst or 0.0

    def _retry(self, flight: Flight, again: RetryLater, now: float) -> None:
        track, ask = flight.track, flight.ask
        track.retried += 1
        ask.strikes += again.strikes
        ask.counted = again.strikes > 0
        due = now + again.delay
        if again.floor:
            track.close(again.floor, self._options.rng, now)
            ask.shunned, ask.shunned_until = track, due
            if _others_answer(self._team_of(ask.request.stage), track, now):
                # It was that endpoint that asked to wait.
                due = now
        self._team_of(ask.request.stage).backlog.add(ask, due)

    def _stand_down(self, flight: Flight, decision: Park | Retire, now: float) -> None:
        """Take a lane out and give its request to the others."""
        track = flight.track
        seconds = decision.seconds if isinstance(decision, Park) else None
        if track.parked_until <= now:
            until = "from now on" if seconds is None else f"for {in_words(seconds)}"
            self._options.say(f"{track.endpoint.name} gets nothing {until}: {decision.reason}")
        track.retried += 1
        track.park(seconds, decision.reason, now)
        flight.ask.counted = False
        self._team_of(flight.ask.request.stage).backlog.add(flight.ask, now)

    def _team_of(self, stage: Stage) -> Team:
        return next(team for team in self._teams if team.serves(stage))

    def _worth_waiting(self) -> bool:
        """Whether what is in the air at the end may bring answers that cost money."""
        if self._error is not None:
            # Before the first answer the key, path or model is wrong: the rest will fare alike.
            return any(track.has_answered for track in self._tracks)
        return self._stopping or any(track.endpoint.paid for track in self._tracks)

    def _kick(self) -> None:
        """Wake the loop."""
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _sleep(self, seconds: float | None) -> None:
        """Set the one timer: a wake-up after so many seconds, none if that is no number."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None and seconds < math.inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(seconds, _SHORTEST_SLEEP), self._kick)


def _others_answer(team: Team, track: Track, now: float) -> bool:
    """Whether another lane that serves the same answers, and takes requests."""
    return any(
        one is not track and one.has_answered and one.parked_until <= now for one in team.tracks
    )
