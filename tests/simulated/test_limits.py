"""Limits by a clock that is moved: what is let through, and what a refusal says."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated.harness import chat, options

from asyncgen.endpoints.simulated import Allowance
from asyncgen.endpoints.simulated.buckets import Buckets, Usage
from asyncgen.endpoints.simulated.provider import Provider

ONE = Usage(prompt=10, cached=0, output=5)


def let_through(buckets: Buckets, times: list[float], usage: Usage = ONE) -> int:
    return sum(buckets.admit(usage, now) is None for now in times)


def steps(until: float, every: float) -> list[float]:
    return [number * every for number in range(int(until / every) + 1)]


def test_a_minute_lets_its_limit_through_and_one_burst() -> None:
    buckets = Buckets(Allowance(rpm=600), 0.0)

    assert let_through(buckets, steps(60.0, 0.01)) == 600 + 10


def test_a_limit_refills_continuously_and_not_by_the_minute() -> None:
    buckets = Buckets(Allowance(rpm=60), 0.0)

    assert [buckets.admit(ONE, now) is None for now in (0.0, 0.5, 0.99, 1.0, 1.5, 2.0)] == [
        *(True, False, False, True, False, True)
    ]


def test_the_burst_can_be_the_whole_minute() -> None:
    buckets = Buckets(Allowance(rpm=100, burst=60), 0.0)

    assert let_through(buckets, [0.0] * 150) == 100


def test_a_refusal_names_the_seconds_after_which_the_request_fits() -> None:
    buckets = Buckets(Allowance(rpm=120), 0.0)
    let_through(buckets, [0.0, 0.0])

    refusal = buckets.admit(ONE, 0.1)
    assert refusal is not None
    assert refusal.seconds == pytest.approx(0.4)
    assert buckets.admit(ONE, 0.1 + 0.4) is None


def test_tokens_count_apart_for_input_and_output_and_cached_ones_are_free() -> None:
    buckets = Buckets(Allowance(itpm=6000, otpm=600), 0.0)
    usage = Usage(prompt=100, cached=60, output=2)
    assert buckets.admit(usage, 0.0) is None
    views = {view.name: view for view in buckets.views(0.0)}

    assert views["input_tokens"].used == 40
    assert views["output_tokens"].used == 2
    assert views["output_tokens"].remaining == 8


def test_a_request_larger_than_the_burst_passes_and_leaves_a_debt() -> None:
    buckets = Buckets(Allowance(tpm=600), 0.0)
    large = Usage(prompt=90, cached=0, output=10)

    assert buckets.admit(large, 0.0) is None
    assert buckets.admit(Usage(1, 0, 0), 8.9) is not None
    assert buckets.admit(Usage(1, 0, 0), 9.2) is None


def test_a_request_larger_than_the_limit_never_fits() -> None:
    refusal = Buckets(Allowance(tpm=100), 0.0).admit(Usage(101, 0, 0), 0.0)

    assert refusal is not None
    assert refusal.seconds is None


def test_a_refused_request_takes_nothing_of_any_limit() -> None:
    buckets = Buckets(Allowance(rpm=60, tpm=600_000), 0.0)
    let_through(buckets, [0.0, 0.0])

    assert {view.name: view.used for view in buckets.views(0.0)} == {"requests": 1, "tokens": 15}


def test_a_limit_halved_in_mid_run_holds_from_then_on() -> None:
    buckets = Buckets(Allowance(rpm=600), 0.0)
    first = let_through(buckets, steps(30.0, 0.01))
    buckets.change(Allowance(rpm=300), 30.0)
    second = let_through(buckets, [30.0 + now for now in steps(30.0, 0.01)[1:]])

    assert first == 310
    assert second == pytest.approx(150, abs=1)


def test_another_client_that_takes_half_leaves_half_but_not_the_limit_told() -> None:
    buckets = Buckets(Allowance(rpm=600, taken=0.5), 0.0)

    assert let_through(buckets, steps(60.0, 0.01)) == 300 + 5
    assert buckets.views(60.0)[0].limit == 600


def test_a_daily_limit_may_be_used_at_once_and_comes_back_over_the_day() -> None:
    buckets = Buckets(Allowance(rpd=24), 0.0)

    assert let_through(buckets, [0.0] * 30) == 24
    assert let_through(buckets, [3601.0] * 5) == 1


@given(
    st.lists(st.tuples(st.floats(0, 2), st.integers(1, 80)), min_size=1, max_size=80),
    st.integers(60, 6000),
)
def test_no_stretch_of_time_sees_more_than_its_worth_one_burst_and_one_request(
    requests: list[tuple[float, int]], tpm: int
) -> None:
    buckets, now = Buckets(Allowance(tpm=tpm), 0.0), 0.0
    admitted: list[tuple[float, int]] = []
    for pause, tokens in requests:
        now += pause
        if buckets.admit(Usage(tokens, 0, 0), now) is None:
            admitted.append((now, tokens))

    for start, end in itertools.combinations_with_replacement(range(len(admitted)), 2):
        stretch = admitted[start : end + 1]
        worth = tpm / 60 * (stretch[-1][0] - stretch[0][0]) + max(1.0, tpm / 60)
        assert sum(tokens for _, tokens in stretch) <= worth + 80 + 1e-6


def received(provider: Provider, now: float, said: str = "hello") -> Any:
    plan = provider.receive("chat", chat(said, max_tokens=50), now, 1e9)
    provider.finish(plan, now, delivered=True)
    return plan


def test_charging_what_was_asked_counts_all_of_max_tokens() -> None:
    used = Provider(options(allowance=Allowance(tpm=60_000), answer_tokens=20), 0.0)
    asked = Provider(
        options(allowance=Allowance(tpm=60_000), answer_tokens=20, charge="asked"), 0.0
    )
    for provider in (used, asked):
        received(provider, 0.0)

    assert used.verdict(0.0).limits["tokens"].used == 2 + 20
    assert asked.verdict(0.0).limits["tokens"].used == 2 + 50


def test_requests_beyond_the_concurrency_are_refused_until_one_ends() -> None:
    provider = Provider(options(allowance=Allowance(concurrency=2)), 0.0)
    plans = [provider.receive("chat", chat(f"{number}"), 0.0, 1e9) for number in range(3)]
    assert [plan.outcome for plan in plans] == ["answered", "answered", "429-concurrency"]
    provider.finish(plans[2], 0.0, delivered=True)
    provider.finish(plans[0], 0.0, delivered=True)

    assert received(provider, 0.0).outcome == "answered"


def test_retry_after_can_be_kept_silent() -> None:
    provider = Provider(options(allowance=Allowance(rpm=60), retry_after=False), 0.0)
    received(provider, 0.0)
    refused = received(provider, 0.0)

    assert refused.outcome == "429-requests"
    assert b"retry-after" not in refused.data
