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
        seconds: Until the answer, or the failure.
        usage: Of the answer; ``None`` if there is none.
        failure: The class of the failure; empty if there is an answer.
    """

    seconds: float
    usage: Usage | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """What was measured at one number of requests in flight. Rates count answers alone.

    Attributes:
        in_flight: Requests at a time.
        requests: Attempts that ended.
        answered: Those with an answer.
        seconds: What the rates are over.
        p50, p99: Latencies of answers in seconds; ``None`` without any.
        seconds_per_output_token: Latency of all answers by their tokens; ``None`` without any.
        errors: Failed attempts by class, but for refusals for the rate.
        rate_limited: Refusals for the rate.
        cpu: Share of one core that this process took.
    """

    in_flight: int
    requests: int
    answered: int
    seconds: float
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
        return self._rate(self.answered)

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


def summary(
    in_flight: int, outcomes: Sequence[Outcome], busy: Sequence[float], *, full: bool, cpu: float
) -> Level:
    """Return what a level comes to.

    Args:
        in_flight: Slots that asked, each one request after the other.
        outcomes: Every attempt that ended.
        busy: Seconds from the level's begin to each slot's end.
        full: Whether every slot asked until the level's time or requests were over. Then the
            rates are over the mean of ``busy``: in the time that is left until the last
            answer, fewer are in flight. Else they are over all of the time.
        cpu: Share of a core.
    """
    answers = [outcome for outcome in outcomes if outcome.usage is not None]
    latencies = sorted(outcome.seconds for outcome in answers)
    usage = sum((outcome.usage for outcome in answers if outcome.usage is not None), Usage())
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    seconds = sum(busy) / len(busy) if full and busy else max(busy, default=0.0)
    return Level(
        in_flight=in_flight,
        requests=len(outcomes),
        answered=len(answers),
        seconds=seconds,
        usage=usage,
        p50=percentile(latencies, 0.5),
        p99=percentile(latencies, 0.99),
        seconds_per_output_token=sum(latencies) / usage.output_tokens
        if usage.output_tokens
        else None,
        errors={kind: failures.count(kind) for kind in sorted({*failures} - {"rate_limited"})},
        rate_limited=failures.count("rate_limited"),
        cpu=cpu,
    )


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
