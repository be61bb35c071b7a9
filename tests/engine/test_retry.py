"""The verdict on a failed attempt is a plain function of values."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncgen.engine.retry import (
    GiveUp,
    Park,
    RejectRequest,
    Retire,
    RetryBudget,
    RetryLater,
    RetryPolicy,
    Situation,
    Verdict,
    counted,
    verdict,
)
from asyncgen.errors import (
    AsyncgenError,
    BadAnswerError,
    DisconnectedError,
    EndpointRefusedError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    RequestRejectedError,
    RunPausedError,
    SettingsError,
    TimedOutError,
    TransientError,
    UnreachableError,
)
from asyncgen.records import Failures

POLICY = RetryPolicy(max_attempts=4, base=0.5, cap=60)


def judge(
    error: AsyncgenError,
    attempt: int = 1,
    *,
    policy: RetryPolicy = POLICY,
    seen: Situation | None = None,
    seed: int = 0,
) -> Verdict:
    """Judge an attempt before which as many failed as counts say."""
    situation = seen or Situation(strikes=attempt - 1, tries=attempt)
    return verdict(error, situation, policy, random.Random(seed))


@pytest.mark.parametrize("error", [TransientError("overloaded"), UnreachableError("refused")])
@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_what_may_pass_is_tried_again(error: TransientError, attempt: int) -> None:
    assert isinstance(judge(error, attempt), RetryLater)


@pytest.mark.parametrize(
    "error",
    [
        EndpointRefusedError("wrong key"),
        RunPausedError("no credit"),
        SettingsError("no header can hold that"),
    ],
)
def test_what_cannot_pass_ends_the_run_with_that_very_error(error: AsyncgenError) -> None:
    decision = judge(error)

    assert isinstance(decision, GiveUp)
    assert decision.error is error


@pytest.mark.parametrize("attempt", [1, 4, 100])
def test_a_rejected_request_is_the_end_of_that_request_alone(attempt: int) -> None:
    assert judge(RequestRejectedError("too long"), attempt) == RejectRequest("too long")


def test_an_endpoint_that_never_answered_and_cannot_be_reached_has_a_wrong_address() -> None:
    decision = judge(
        UnreachableError("http://x: unknown host 'x'"), seen=Situation(has_answered=False)
    )

    assert isinstance(decision, GiveUp)
    assert isinstance(decision.error, EndpointRefusedError)
    assert str(decision.error) == "http://x: unknown host 'x'"
    assert decision.error.exit_code == 2


def test_an_endpoint_that_has_answered_may_come_back() -> None:
    assert isinstance(judge(UnreachableError("refused")), RetryLater)


@pytest.mark.parametrize("attempt", [4, 5])
def test_after_the_last_attempt_the_run_pauses_and_says_why(attempt: int) -> None:
    decision = judge(TransientError("http://x: HTTP 503: overloaded"), attempt)

    assert isinstance(decision, GiveUp)
    assert isinstance(decision.error, RunPausedError)
    assert (
        str(decision.error) == f"gave up after {attempt} attempts: http://x: HTTP 503: overloaded"
    )


@given(attempt=st.integers(1, 100_000), seed=st.integers(0, 10**6))
def test_the_wait_has_full_jitter_below_a_doubling_ceiling(attempt: int, seed: int) -> None:
    """0-0.5 s, 0-1 s, 0-2 s, … never above the cap, however many attempts."""
    policy = RetryPolicy(max_attempts=10**6, base=0.5, cap=60)
    decision = judge(TransientError("busy"), attempt, policy=policy, seed=seed)

    assert isinstance(decision, RetryLater)
    assert decision.floor == 0
    assert 0 <= decision.delay <= min(60, 0.5 * 2 ** min(attempt - 1, 30))


def test_jitter_uses_the_whole_range() -> None:
    decisions = [judge(TransientError("busy"), 3, seed=seed) for seed in range(400)]
    delays = sorted(one.delay for one in decisions if isinstance(one, RetryLater))

    assert len(delays) == 400
    assert delays[0] < 0.05
    assert delays[-1] > 1.95
    assert 0.9 < sum(delays) / 400 < 1.1


@given(asked=st.floats(0.001, 600), attempt=st.integers(1, 3), seed=st.integers(0, 10**6))
def test_what_the_server_asks_for_is_a_floor_with_jitter_upwards(
    asked: float, attempt: int, seed: int
) -> None:
    decision = judge(TransientError("slow down", retry_after=asked), attempt, seed=seed)

    assert isinstance(decision, RetryLater)
    assert decision.floor == asked
    assert asked <= decision.delay <= 1.25 * asked


def test_those_who_wait_for_the_same_moment_do_not_come_back_together() -> None:
    decisions = [judge(TransientError("slow", retry_after=100), seed=seed) for seed in range(200)]
    delays = [one.delay for one in decisions if isinstance(one, RetryLater)]

    assert min(delays) < 101
    assert max(delays) > 124


def test_a_wait_longer_than_the_longest_parks_the_endpoint_for_that_time() -> None:
    assert judge(OverloadedError("down", retry_after=3600)) == Park(3600, "down")
    assert isinstance(judge(OverloadedError("down", retry_after=600)), RetryLater)


@pytest.mark.parametrize("resets_in", [None, 5.0, 86_400.0])
def test_a_quota_that_is_used_up_parks_the_endpoint(resets_in: float | None) -> None:
    assert judge(QuotaError("no credit", resets_in=resets_in)) == Park(resets_in, "no credit")


def test_a_refusal_retires_an_endpoint_where_others_answer() -> None:
    error = EndpointRefusedError("401: wrong key")

    assert judge(error, seen=Situation(others_answer=True)) == Retire("401: wrong key")
    assert judge(error) == GiveUp(error)


@pytest.mark.parametrize(
    ("error", "outage", "strikes"),
    [
        pytest.param(TransientError("500"), False, 1, id="failure"),
        pytest.param(TransientError("500"), True, 0, id="outage"),
        pytest.param(RateLimitedError("429"), False, 0, id="rate"),
        pytest.param(TimedOutError("slow", phase="stalled"), False, 2, id="may be billed"),
        pytest.param(TimedOutError("slow", phase="connect"), False, 1, id="no connection"),
        pytest.param(TimedOutError("slow", phase="total"), True, 0, id="slow outage"),
    ],
)
def test_what_is_not_the_requests_fault_does_not_use_up_its_attempts(
    error: TransientError,
    outage: bool,  # noqa: FBT001
    strikes: int,
) -> None:
    decision = judge(error, seen=Situation(outage=outage))

    assert isinstance(decision, RetryLater)
    assert decision.strikes == strikes


def test_a_request_is_not_tried_for_ever_whatever_fails() -> None:
    decision = judge(RateLimitedError("429"), seen=Situation(tries=10 * POLICY.max_attempts))

    assert isinstance(decision, GiveUp)


def test_retries_are_a_share_of_the_traffic_and_a_few_beyond() -> None:
    budget = RetryBudget(RetryPolicy(share=0.25, burst=2), now=0)
    budget.spend()
    budget.spend()
    assert budget.delay(0) == 1
    for _ in range(4):
        budget.earn()

    assert budget.delay(0) == 0
    budget.spend()
    assert budget.delay(0) == 1
    assert budget.delay(0.5) == 0.5


def test_retries_that_are_saved_up_are_no_more_than_the_burst() -> None:
    budget = RetryBudget(RetryPolicy(share=0.25, burst=2), now=0)
    for _ in range(100):
        budget.earn()
    for _ in range(2):
        assert budget.delay(1000) == 0
        budget.spend()

    assert budget.delay(1000) > 0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RateLimitedError("429"), "rate"),
        (OverloadedError("529"), "overload"),
        (TransientError("HTTP 502"), "overload"),
        (TimedOutError("no answer", phase="total"), "lost"),
        (UnreachableError("refused"), "lost"),
        (DisconnectedError("reset"), "lost"),
        (BadAnswerError("empty"), "lost"),
        (QuotaError("no credit"), "other"),
        (EndpointRefusedError("key"), "other"),
    ],
)
def test_a_failed_attempt_is_counted_by_why(error: AsyncgenError, kind: str) -> None:
    before = Failures(rate=1, lost=2)

    after = counted(before, error)

    assert getattr(after, kind) == getattr(before, kind) + 1
    assert after.total == 4
