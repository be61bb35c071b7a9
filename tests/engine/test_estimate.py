"""What is expected of a request, before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from asyncgen.engine.estimate import TokenEstimate
from asyncgen.records import Prompt, Request, Sampling, Usage

if TYPE_CHECKING:
    from asyncgen.records import Stage


def request(characters: int, at_most: int, stage: Stage = "generation") -> Request:
    prompt = Prompt("f" * (characters // 2), "v" * (characters - characters // 2))
    return Request(stage, "0", prompt, Sampling(max_output_tokens=at_most))


def tokens(estimate: TokenEstimate, one: Request) -> float:
    return estimate(one, one.prompt.characters)[1]


def learned(one: Request, usage: Usage) -> TokenEstimate:
    estimate = TokenEstimate()
    for _ in range(60):
        estimate.learn(one, one.prompt.characters, usage)
    return estimate


def test_a_first_estimate_errs_upwards() -> None:
    """Three characters to a token, and the longest answer."""
    assert tokens(TokenEstimate(), request(3000, 256)) == 1000 + 256


def test_an_estimate_comes_near_what_is_used() -> None:
    estimate = learned(request(3000, 256), Usage(600, 64))

    assert tokens(estimate, request(3000, 256)) == pytest.approx(600 + 64, rel=0.02)


def test_the_first_answer_already_counts() -> None:
    estimate = TokenEstimate()
    estimate.learn(request(9000, 256), 9000, Usage(1800, 64))

    assert tokens(estimate, request(9000, 256)) == pytest.approx(1800 + 64, rel=0.1)


def test_stages_are_learned_apart() -> None:
    estimate = learned(request(0, 100), Usage(0, 10))

    assert tokens(estimate, request(0, 100)) == pytest.approx(10, abs=1)
    assert tokens(estimate, request(0, 100, "instances")) == 100


def test_what_a_provider_had_in_its_cache_is_not_expected_of_input_tokens() -> None:
    one = request(3000, 256)
    estimate = learned(one, Usage(600, 64, cached_tokens=500))
    requests, together, fresh, output = estimate(one, 3000)

    assert requests == 1
    assert together == pytest.approx(664, rel=0.02)
    assert fresh == pytest.approx(100, rel=0.05)
    assert output == pytest.approx(64)


def test_an_endpoint_that_reports_no_usage_teaches_nothing_about_input() -> None:
    estimate = learned(request(3000, 256), Usage(0, 0))

    assert tokens(estimate, request(3000, 256)) == pytest.approx(1000, abs=2)


def test_an_answer_beyond_its_bound_does_not_raise_the_estimate_above_it() -> None:
    estimate = learned(request(0, 100), Usage(0, 1000))

    assert tokens(estimate, request(0, 100)) == 100
