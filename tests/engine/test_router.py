"""Where a request goes, by the lanes as they stand."""

from __future__ import annotations

import math
import random

import pytest
from engine.harness import ask, hello

from asyncgen.endpoints.scripted import ScriptedEndpoint
from asyncgen.engine import Lane, Limits, RetryPolicy
from asyncgen.engine.budget import Budget
from asyncgen.engine.lane import Ask, Track
from asyncgen.engine.router import Route, in_words, pick
from asyncgen.errors import EndpointRefusedError, RunPausedError


def track(
    name: str = "x",
    limits: Limits | None = None,
    *,
    weight: float = 1.0,
    worst_cost: float | None = 0.0,
    places: int = 100,
) -> Track:
    endpoint = ScriptedEndpoint(hello, name=name, worst_cost=worst_cost)
    lane = Lane(endpoint, limits or Limits(), weight=weight, max_in_flight=places)
    return Track(lane, 100, RetryPolicy(), random.Random(1), 0.0)


def choose(tracks: list[Track], now: float = 0.0, budget: Budget | None = None) -> Route | float:
    request = ask(0)
    waiting = Ask(request, request.prompt.characters)
    return pick(tracks, waiting, budget or Budget(None), 600, now)


def chosen(tracks: list[Track], now: float = 0.0, budget: Budget | None = None) -> Track:
    route = choose(tracks, now, budget)
    assert isinstance(route, Route)
    return route.track


def test_the_lane_that_is_free_soonest_is_waited_for() -> None:
    lanes = [track(), track()]
    lanes[0].gate.close(10, 0)
    assert chosen(lanes) is lanes[1]
    lanes[1].gate.close(20, 0)

    assert choose(lanes) == 10


def test_of_free_lanes_the_idler_is_picked() -> None:
    lanes = [track(), track(), track()]
    for number, in_flight in enumerate((3, 1, 2)):
        lanes[number].in_flight = in_flight

    assert chosen(lanes) is lanes[1]


def test_work_is_shared_by_weight() -> None:
    lanes = [track(weight=3), track(weight=1)]
    taken = [0, 0]
    for _ in range(80):
        route = choose(lanes)
        assert isinstance(route, Route)
        # Each is answered at once: nothing is ever open.
        route.track.sent += 1
        taken[lanes.index(route.track)] += 1

    assert taken == [60, 20]


def test_of_open_attempts_a_lane_has_its_weights_share() -> None:
    lanes = [track(weight=3), track(weight=1)]
    for _ in range(80):
        chosen(lanes).in_flight += 1
        for one in lanes:
            one.window.limit = 100

    assert [one.in_flight for one in lanes] == [60, 20]


def test_a_lane_takes_no_more_than_its_own_ceiling() -> None:
    lanes = [track(places=2), track(places=3)]
    for _ in range(5):
        chosen(lanes).in_flight += 1

    assert [one.in_flight for one in lanes] == [2, 3]
    assert choose(lanes) == math.inf


def test_a_lane_parked_for_longer_than_anybody_waits_gets_nothing() -> None:
    lanes = [track(), track()]
    lanes[0].park(3600, "no quota", 0)

    assert chosen(lanes) is lanes[1]


def test_a_lane_parked_for_a_moment_is_waited_for() -> None:
    lane = track()
    lane.park(60, "no quota", 0)

    assert choose([lane]) == 60


def test_where_no_lane_is_left_the_run_pauses_and_says_why_and_until_when() -> None:
    lanes = [track(), track()]
    lanes[0].park(None, "a: no credit", 0)
    lanes[1].park(12_000, "b: 1,000 requests a day", 0)

    with pytest.raises(
        RunPausedError, match=r"a: no credit; b: 1,000 requests a day \(again in 3 h 20 min\)"
    ):
        choose(lanes)


def test_a_request_too_large_for_one_lane_goes_to_another() -> None:
    lanes = [track(limits=Limits(tpm=100)), track()]

    assert chosen(lanes) is lanes[1]


def test_a_request_too_large_for_every_lane_is_refused_with_the_numbers() -> None:
    with pytest.raises(
        EndpointRefusedError, match=r"about 2\d\d tokens .* limit of 100 tokens a minute.*--tpm"
    ):
        choose([track(limits=Limits(tpm=100)), track(limits=Limits(output_tpm=50))])


def test_a_lane_that_is_not_affordable_leaves_the_work_to_one_that_is() -> None:
    lanes = [track(worst_cost=2.0), track(worst_cost=0.0)]

    assert chosen(lanes, budget=Budget(1.0)) is lanes[1]


def test_a_cap_on_what_has_no_price_is_refused_and_says_how_to_give_one() -> None:
    with pytest.raises(EndpointRefusedError, match=r"x: --max-cost needs a price.*price = "):
        choose([track(worst_cost=None)], budget=Budget(1.0))


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (89, "89 s"), (91, "2 min"), (12_000, "3 h 20 min")]
)
def test_durations_are_said_as_one_reads_them(seconds: float, said: str) -> None:
    assert in_words(seconds) == said
