"""What was measured at each level of concurrency, and what follows from it: plain functions."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.errors import SettingsError
from asyncgen.records import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Level",
    "Outcome",
    "doublings",
    "full_time",
    "knee",
    "most_requests",
    "percentile",
    "read_levels",
    "reason_to_stop",
    "summary",
]

_GROWTH = 1.05
"""Over two doublings, the throughput has to grow by this factor to go on."""

_NEAR_BEST = 0.9
"""The knee is the smallest level with this share of the best throughput."""

_TELLING = 10
"""Of fewer requests, half may fail by chance."""

_USUAL_SECONDS = 10.0
_EACH = 20  # requests for each in flight, in that time
_FEWEST = 100  # requests of a level


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt.

    Attributes:
        ended: Seconds since the level began.
        seconds: Until the answer, or the failure.
        usage: Of the answer; ``None`` if there is none.
        failure: The class of the failure; empty if there is an answer.
    """

    ended: float
    seconds: float
    usage: Usage | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """What was measured at one number of requests in flight.

    Attributes:
        in_flight: Requests at a time.
        requests: Attempts that ended.
        answered: Those with an answer.
        seconds: What the rates are over, see :func:`full_time`.
        counted: Answers in that time.
        usage: Of those.
        p50, p99: Latencies of all answers in seconds; ``None`` without any.
        seconds_per_output_token: Latency of all answers by their tokens; ``None`` without any.
        errors: Failed attempts by class, but for refusals for the rate.
        rate_limited: Refusals for the rate.
        cpu: Share of one core that this process took.
    """

    in_flight: int
    requests: int
    answered: int
    seconds: float
    counted: int
    usage: Usage
    p50: float | None
    p99: float | None
    seconds_per_output_token: float | None
    errors: dict[str, int]
    rate_limited: int
    cpu: float

    @property
    def requests_per_s(self) -> float:
        """Answers a second: the throughput that the knee goes by."""
        return self._rate(self.counted)

    @property
    def output_tokens_per_s(self) -> float:
        """Tokens of answers a second."""
        return self._rate(self.usage.output_tokens)

    @property
    def input_tokens_per_s(self) -> float:
        """Tokens of answered prompts a second."""
        return self._rate(self.usage.input_tokens)

    def _rate(self, count: int) -> float:
        return count / self.seconds if self.seconds > 0 else 0.0


def summary(in_flight: int, outcomes: Sequence[Outcome], full_until: float, *, cpu: float) -> Level:
    """Return what a level comes to.

    Args:
        in_flight: Slots that asked, each one request after the other.
        outcomes: Every attempt that ended.
        full_until: Seconds since the level began, when the first slot had nothing to ask.
        cpu: Share of a core.
    """
    answers = [(outcome, outcome.usage) for outcome in outcomes if outcome.usage is not None]
    latencies = sorted(outcome.seconds for outcome, _ in answers)
    written = sum(usage.output_tokens for _, usage in answers)
    begin, end = full_time([outcome.ended for outcome in outcomes], in_flight, full_until)
    counted = [usage for outcome, usage in answers if begin < outcome.ended <= end]
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    return Level(
        in_flight=in_flight,
        requests=len(outcomes),
        answered=len(answers),
        seconds=end - begin,
        counted=len(counted),
        usage=sum(counted, Usage()),
        p50=percentile(latencies, 0.5),
        p99=percentile(latencies, 0.99),
        seconds_per_output_token=sum(latencies) / written if written else None,
        errors={kind: failures.count(kind) for kind in sorted({*failures} - {"rate_limited"})},
        rate_limited=failures.count("rate_limited"),
        cpu=cpu,
    )


def full_time(ends: Sequence[float], in_flight: int, full_until: float) -> tuple[float, float]:
    """Return the time in which as much was in flight as should be, from one end to another.

    The first round is left out where two more follow it: nothing ends before it has run, and
    connections are made in it. What ends after ``full_until`` ends with fewer beside it. Where
    not even one round ended before, all of the time is taken: too long rather than too short.
    """
    ascending = sorted(ends)
    inside = [end for end in ascending if end <= full_until]
    if len(inside) < in_flight:
        return 0.0, max(ascending, default=0.0)
    first = inside[in_flight - 1]
    has_more = len(inside) >= 3 * in_flight and first < inside[-1]
    return (first if has_more else 0.0), inside[-1]


def percentile(ascending: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least ``share`` of all do not exceed."""
    if not ascending:
        return None
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)]


def knee(levels: Sequence[Level]) -> int | None:
    """Return the smallest level within 10 % of the best throughput.

    Levels with refusals for the rate do not count: they end with the first one, and
    what went through before it was more than is allowed. ``None`` if no other is left.
    """
    counted = [level for level in levels if level.answered and not level.rate_limited]
    best = max((level.requests_per_s for level in counted), default=0.0)
    near = (level.in_flight for level in counted if level.requests_per_s >= _NEAR_BEST * best)
    return min(near, default=None)


def reason_to_stop(levels: Sequence[Level]) -> str | None:
    """Return why not to rise further.

    ``rate_limited``: the last level saw refusals. ``failing``: at most half of its requests
    (of 10 or more) were answered. ``saturated``: the best throughput is less than 5 % above
    that of the levels with a quarter of the requests in flight, that is, two doublings ago.
    """
    last = levels[-1]
    if last.rate_limited:
        return "rate_limited"
    if last.requests >= _TELLING and 2 * last.answered <= last.requests:
        return "failing"
    before = [x.requests_per_s for x in levels if 4 * x.in_flight <= last.in_flight]
    best = max(level.requests_per_s for level in levels)
    return "saturated" if before and best < _GROWTH * max(before) else None


def most_requests(in_flight: int, seconds: float) -> int:
    """Return the requests after which a level ends even before its seconds are over."""
    return math.ceil(max(_FEWEST, _EACH * in_flight) * max(1.0, seconds / _USUAL_SECONDS))


def doublings(most: int) -> tuple[int, ...]:
    """Return 1, 2, 4, …, and ``most`` as the last."""
    return (*(1 << power for power in range((most - 1).bit_length())), most)


def read_levels(text: str) -> tuple[int, ...]:
    """Read ``1,2,4``.

    Raises:
        SettingsError: If a part of it is no number, or they do not rise.
    """
    levels: list[int] = []
    for part in text.split(","):
        # More digits than that are no number of requests, and int() may refuse them.
        if not (part.strip().isdecimal() and len(part) < 10):
            raise SettingsError(f"--levels {text}: '{part.strip()}' is no number of requests")
        levels.append(int(part))

    if levels[0] < 1 or any(here >= after for here, after in itertools.pairwise(levels)):
        raise SettingsError(f"--levels {text}: must rise from 1 or more")
    return tuple(levels)
