"""What is expected of a request, and where it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from engine.harness import ask

from asyncgen.endpoints.scripted import ScriptedEndpoint
from asyncgen.engine import Lane, RateLimits
from asyncgen.engine.lane import TokenEstimate, pick_lane
from asyncgen.records import Prompt, Request, Sampling

if TYPE_CHECKING:
    from asyncgen.records import Stage


def request(characters: int, at_most: int, stage: Stage = "generation") -> Request:
    prompt = Prompt("f" * (characters // 2), "v" * (characters - characters // 2))
    return Request(stage, "0", prompt, Sampling(max_output_tokens=at_most))


def lane() -> Lane:
    endpoint = ScriptedEndpoint(lambda _request, _attempt: "")
    return Lane(endpoint, RateLimits(rpm=None, tpm=None, now=0))


def test_a_first_estimate_errs_upwards() -> None:
    """Three characters to a token, and the longest answer."""
    assert TokenEstimate()(request(3000, 256)) == 1000 + 256


def test_an_estimate_comes_near_what_is_used() -> None:
    estimate = TokenEstimate()
    for _ in range(60):
        estimate.learn(request(3000, 256), 600, 64)

    assert estimate(request(3000, 256)) == pytest.approx(600 + 64, rel=0.02)


def test_stages_are_learned_apart() -> None:
    estimate = TokenEstimate()
    for _ in range(60):
        estimate.learn(request(0, 100), 0, 10)

    assert estimate(request(0, 100)) == pytest.approx(10, abs=1)
    assert estimate(request(0, 100, "instances")) == 100


def test_an_endpoint_that_reports_no_usage_teaches_nothing_about_input() -> None:
    estimate = TokenEstimate()
    for _ in range(60):
        estimate.learn(request(3000, 256), 0, 0)

    assert estimate(request(3000, 256)) == pytest.approx(1000, abs=2)


def test_an_answer_beyond_its_bound_does_not_raise_the_estimate_above_it() -> None:
    estimate = TokenEstimate()
    for _ in range(60):
        estimate.learn(request(0, 100), 0, 1000)

    assert estimate(request(0, 100)) == 100


def test_the_lane_that_is_free_soonest_is_picked() -> None:
    lanes = [lane(), lane()]
    lanes[0].limits.close_until(10)

    assert pick_lane(lanes, ask(0), 0) == (lanes[1], 0)
    lanes[1].limits.close_until(20)
    assert pick_lane(lanes, ask(0), 0) == (lanes[0], 10)


def test_of_free_lanes_the_idler_is_picked() -> None:
    lanes = [lane(), lane(), lane()]
    for number, in_flight in enumerate((3, 1, 2)):
        lanes[number].in_flight = in_flight

    assert pick_lane(lanes, ask(0), 0) == (lanes[1], 0)
