"""What the provider thinks of its client: kept while it serves, told at the end."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.endpoints.simulated.buckets import BucketView

__all__ = ["Ledger", "LimitUse", "Verdict", "verdict_text"]

GRACE = 0.1  # seconds in which a client cannot know yet what another answer told
_SLACK = 0.002  # seconds that a timer may be early by


class LimitUse(Struct, frozen=True, kw_only=True):
    """How much of a limit was used.

    Attributes:
        limit: Per minute, or per day.
        used: In all.
        share: Of what was allowed between the first request and the last one let through;
            above 1 by the burst at the beginning.
    """

    limit: float
    used: float
    share: float


class Verdict(Struct, frozen=True, kw_only=True):
    """The provider's judgement.

    Attributes:
        seconds: From the first request to the last answer.
        requests: That came, those refused included.
        answered: With success.
        contents: Different ones among those answered.
        duplicates: Successes beyond the first for the same content.
        most_in_flight: Requests waiting for an answer at the same time.
        in_flight: Waiting now.
        refused: 429s that limits gave, by limit: what the client provoked.
        refused_share: Of all requests.
        early_same: Requests that came before the Retry-After given to the same content.
        early_any: Before one that was given to any, 0.1 s after it was told at the earliest.
        abandoned: Requests whose client left before the answer.
        outcomes: Requests by what came of them.
        faults: Faults injected, by name.
        limits: Use of each limit.
    """

    seconds: float
    requests: int
    answered: int
    contents: int
    duplicates: int
    most_in_flight: int
    in_flight: int
    refused: dict[str, int]
    refused_share: float
    early_same: int
    early_any: int
    abandoned: int
    outcomes: dict[str, int]
    faults: dict[str, int]
    limits: dict[str, LimitUse]


class Ledger:
    """Counts what happens; every method takes the time in seconds."""

    def __init__(self) -> None:
        self.requests = 0
        self.in_flight = 0
        self.first_at: float | None = None
        self._last_at = 0.0
        self._most_in_flight = 0
        self._answered: set[int] = set()
        self._answers = 0
        self._outcomes: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._early_same = 0
        self._early_any = 0
        self._told: dict[int, float] = {}
        # (known from, not before), both rising: later tellings that end sooner tell nothing.
        self._tellings: deque[tuple[float, float]] = deque()
        self._not_before = 0.0

    def arrived(self, key: int, now: float) -> None:
        """Count a request of a content."""
        if self.first_at is None:
            self.first_at = now
        self._last_at = now
        self.requests += 1
        self.in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self.in_flight)
        while self._tellings and self._tellings[0][0] <= now:
            self._not_before = self._tellings.popleft()[1]
        self._early_any += now < self._not_before - _SLACK
        if self._told and now < self._told.pop(key, 0.0) - _SLACK:
            self._early_same += 1

    def told(self, key: int, seconds: float, now: float) -> None:
        """Note that an answer asks to wait."""
        until = now + seconds
        self._told[key] = until
        if until > max(self._not_before, self._tellings[-1][1] if self._tellings else 0.0):
            self._tellings.append((now + GRACE, until))

    def refused(self, limit: str) -> None:
        """Count a 429 that a limit gave."""
        self._refused[limit] += 1

    def struck(self, fault: str) -> None:
        """Count an injected fault."""
        self._faults[fault] += 1

    def finished(self, outcome: str, now: float) -> None:
        """Count the end of a request."""
        self._last_at = now
        self.in_flight -= 1
        self._outcomes[outcome] += 1

    def answered(self, key: int) -> None:
        """Count a success."""
        self._answers += 1
        self._answered.add(key)

    def verdict(self, views: Sequence[BucketView]) -> Verdict:
        """Return the judgement so far."""
        refused = sum(self._refused.values())
        first = self._last_at if self.first_at is None else self.first_at
        return Verdict(
            seconds=self._last_at - first,
            requests=self.requests,
            answered=self._answers,
            contents=len(self._answered),
            duplicates=self._answers - len(self._answered),
            most_in_flight=self._most_in_flight,
            in_flight=self.in_flight,
            refused=dict(self._refused),
            refused_share=refused / self.requests if self.requests else 0.0,
            early_same=self._early_same,
            early_any=self._early_any,
            abandoned=self._outcomes["abandoned"],
            outcomes={name: count for name, count in self._outcomes.items() if count},
            faults=dict(self._faults),
            limits={view.name: _use(view) for view in views},
        )


def verdict_text(verdict: Verdict) -> str:
    """Write a verdict in lines for people."""
    refused = sum(verdict.refused.values())
    injected = sum(verdict.faults.values())
    lines = [
        f"{verdict.requests:,} requests in {verdict.seconds:.1f} s",
        f"{verdict.answered:,} answered, at most {verdict.most_in_flight:,} in flight",
        *(_use_text(name, use) for name, use in verdict.limits.items()),
        f"429s provoked: {refused:,} ({verdict.refused_share:.2%}){_listed(verdict.refused)}",
        f"retries sent before their Retry-After was over: {verdict.early_same:,}",
        f"requests of any content sent before it was over: {verdict.early_any:,}",
        f"answered more than once: {verdict.duplicates:,}",
        f"given up by the client: {verdict.abandoned:,}",
        f"faults injected: {injected:,}{_listed(verdict.faults)}",
        f"outcomes{_listed(verdict.outcomes) or ': none'}",
    ]
    return "\n".join(lines)


def _use_text(name: str, use: LimitUse) -> str:
    period = "day" if name == "requests_day" else "min"
    kind = name.removesuffix("_day").replace("_", " ")
    return f"limit of {use.limit:,.0f} {kind}/{period}: {use.used:,.0f} used, {use.share:.1%}"


def _use(view: BucketView) -> LimitUse:
    share = view.used / view.granted if view.granted > 0 else 0.0
    return LimitUse(limit=view.limit, used=view.used, share=share)


def _listed(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda entry: -entry[1])
    return ": " + ", ".join(f"{name} {count:,}" for name, count in ordered) if ordered else ""
