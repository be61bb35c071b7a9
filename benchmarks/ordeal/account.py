"""The provider's log held against what the journal held at each kill."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.endpoints.simulated.request_log import LoggedRequest
    from ordeal.journaled import Journaled

__all__ = ["Account", "Stop", "settle"]

_BILLED = "answered"
_MAY_LAND = 16  # answers, while a commit is under way on a busy machine


@dataclass(frozen=True)
class Stop:
    """The end of a session, and what the journal held then.

    Attributes:
        started: When the session was, Unix time in seconds.
        ended: Likewise; of one that was killed, when the signal was sent.
        in_flight: Its ceiling of requests in the air.
        disturbed: Whether it was killed, or its disk full: what was in the air is lost.
        lost: Contents that were taken out of the journal afterwards.
    """

    started: float
    ended: float
    in_flight: int
    journaled: Journaled
    disturbed: bool
    lost: frozenset[str] = frozenset()


@dataclass
class Account:
    """What the log says.

    Attributes:
        requests: Attempts, those that failed included.
        billed: Answered whole.
        in_air: Attempts not yet answered and answers not yet journaled, over all ends that were
            disturbed.
        unanswered: Those of them that were not answered yet.
        oldest: Seconds that an answer had waited for the journal by then, at the most.
        over_ceiling: Such ends at which more were unanswered than the session's ceiling allows, or
            more answers waited for the journal than that and what may land during a commit.
        paid_twice: Answers beyond the first to the same content.
        worst_twice: The same if what lost its client on the way was billed as well.
        sent_again: Requests sent though their answer had been in the journal when the session
            began.
        unbilled: Journaled contents that the log does not know as answered.
        dropped: Answered contents that a session did not journal, though nothing disturbed it.
    """

    requests: int = 0
    billed: int = 0
    in_air: int = 0
    unanswered: int = 0
    oldest: float = 0.0
    over_ceiling: int = 0
    paid_twice: int = 0
    worst_twice: int = 0
    sent_again: list[str] = field(default_factory=list)
    unbilled: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def settle(log: Sequence[LoggedRequest], stops: Sequence[Stop]) -> Account:
    """Hold a log, of all providers together, against the ends of all sessions in their order."""
    account = Account(requests=len(log))
    billed = Counter(line.content for line in log if line.outcome == _BILLED)
    at_worst = Counter(line.content for line in log if line.outcome in {_BILLED, "abandoned"})
    account.billed = billed.total()
    account.paid_twice = sum(times - 1 for times in billed.values())
    account.worst_twice = sum(times - 1 for times in at_worst.values())
    borders = [*(stop.started for stop in stops), float("inf")]
    known: frozenset[str] = frozenset()
    for stop, (begun, over) in zip(stops, pairwise(borders), strict=True):
        lines = [line for line in log if begun <= line.came < over]
        account.sent_again += [line.content for line in lines if line.content in known]
        held = stop.journaled.contents
        unjournaled = [line for line in lines if _is_unjournaled(line, stop, held)]
        if stop.disturbed:
            unanswered = sum(line.ended > stop.ended and line.content not in held for line in lines)
            _count_air(account, stop, unanswered, unjournaled)
        else:
            account.dropped += [line.content for line in unjournaled]
        known = held - stop.lost
        account.in_air += len(stop.lost)
    account.unbilled = sorted(known - billed.keys())
    return account


def _is_unjournaled(line: LoggedRequest, stop: Stop, held: frozenset[str]) -> bool:
    answered = line.outcome == _BILLED and line.ended <= stop.ended
    return answered and line.content not in held


def _count_air(
    account: Account, stop: Stop, unanswered: int, unjournaled: Sequence[LoggedRequest]
) -> None:
    account.unanswered += unanswered
    account.in_air += unanswered + len(unjournaled)
    account.oldest = max([account.oldest, *(stop.ended - line.ended for line in unjournaled)])
    too_many = unanswered > stop.in_flight or len(unjournaled) > stop.in_flight + _MAY_LAND
    account.over_ceiling += too_many
