"""The harness itself: a promise that was broken is seen."""

from __future__ import annotations

import pytest
from ordeal.account import Stop, settle
from ordeal.journaled import Journaled
from ordeal.verdict import Verdict

from asyncgen.endpoints.simulated.request_log import LoggedRequest


def line(content: str, came: float, ended: float, outcome: str = "answered") -> LoggedRequest:
    return LoggedRequest(content=content, came=came, ended=ended, outcome=outcome)


def stop(
    started: float,
    ended: float,
    *contents: str,
    lost: tuple[str, ...] = (),
    disturbed: bool = True,
) -> Stop:
    journaled = Journaled(tuple((content, "text") for content in contents))
    return Stop(started, ended, 4, journaled, disturbed=disturbed, lost=frozenset(lost))


def test_what_was_in_the_air_at_a_kill_may_be_asked_and_paid_again() -> None:
    log = [
        line("kept", 1, 2),
        line("answered, not journaled", 3, 9.9),
        line("under way", 8, 10.1, "abandoned"),
        line("failed before", 4, 5, "503"),
        line("answered, not journaled", 12, 13),
        line("under way", 12, 13),
    ]
    everything = ("kept", "answered, not journaled", "under way")
    account = settle(log, [stop(0, 10, "kept"), stop(11, 20, *everything)])

    assert (account.in_air, account.unanswered) == (2, 1)
    assert (account.paid_twice, account.worst_twice) == (1, 2)
    assert account.oldest == pytest.approx(0.1)
    assert not account.sent_again
    assert not account.unbilled


def test_a_journaled_request_that_a_later_session_sends_is_seen() -> None:
    log = [line("known", 1, 2), line("known", 12, 13)]
    account = settle(log, [stop(0, 10, "known"), stop(11, 20, "known")])

    assert account.sent_again == ["known"]
    assert account.paid_twice > account.in_air


def test_what_a_cut_took_from_the_journal_may_be_sent_again() -> None:
    log = [line("taken", 1, 2), line("taken", 12, 13)]
    account = settle(log, [stop(0, 10, "taken", lost=("taken",)), stop(11, 20, "taken")])

    assert not account.sent_again
    assert account.paid_twice == account.in_air == 1


def test_an_answer_that_no_provider_gave_is_seen() -> None:
    assert settle([], [stop(0, 10, "made up")]).unbilled == ["made up"]


def test_an_answer_that_is_not_journaled_though_nothing_disturbed_its_session_is_seen() -> None:
    log = [line("kept", 1, 2), line("dropped", 3, 4), line("failed", 5, 6, "503")]

    assert settle(log, [stop(0, 10, "kept", disturbed=False)]).dropped == ["dropped"]
    assert settle(log, [stop(0, 10, "kept")]).dropped == []


def test_more_in_the_air_than_the_ceiling_is_seen() -> None:
    log = [line(f"request {number}", 1, 11, "abandoned") for number in range(5)]

    assert settle(log, [stop(0, 10)]).over_ceiling == 1
    assert settle(log[:4], [stop(0, 10)]).over_ceiling == 0


def test_an_answer_that_is_missing_or_changed_is_seen() -> None:
    earlier = Journaled((("a", "text"), ("b", "text")))

    assert Journaled((*earlier.answers, ("c", "text"))).begins_with(earlier)
    assert not Journaled((("a", "text"),)).begins_with(earlier)
    assert not Journaled((("a", "text"), ("b", "other"))).begins_with(earlier)


def test_a_promise_that_was_broken_once_is_broken() -> None:
    verdict = Verdict("trial")
    for held in (True, False, True):
        verdict.hold("it holds", held, "what was seen")

    assert verdict.broken == ["it holds: what was seen"]
    assert "kept" not in str(verdict)
