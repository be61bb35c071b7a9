"""Limits are changed while the engine works, and what it does can be looked at."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from engine.provider import Provider
from engine.trial import Trial, accepted

from asyncgen.engine import Adjustment, Lane, Limits
from asyncgen.errors import InputError, OverloadedError

if TYPE_CHECKING:
    from asyncgen.engine import Engine, EngineSnapshot


def test_a_limit_that_is_changed_holds_at_once() -> None:
    async def change(engine: Engine) -> None:
        await asyncio.sleep(10)
        engine.adjust(Adjustment(rpm=1200))
        await asyncio.sleep(10)
        engine.adjust(Adjustment(rpm=float("inf")))

    provider = Provider()
    Trial(
        [provider], limits=Limits(rpm=6000), seconds=25, max_in_flight=100, meanwhile=change
    ).run()

    assert accepted(provider, 0, 10) == pytest.approx(1000, rel=0.02)
    assert accepted(provider, 11, 20) == pytest.approx(180, rel=0.02)
    assert accepted(provider, 21, 25) >= 4 * 400


def test_one_lane_is_changed_by_its_name() -> None:
    providers = [Provider(name="a"), Provider(name="b")]

    async def change(engine: Engine) -> None:
        await asyncio.sleep(10)
        engine.adjust(Adjustment(lane="b", rpm=60, max_in_flight=1))

    Trial(providers, limits=Limits(rpm=600), seconds=20, meanwhile=change).run()

    assert accepted(providers[0], 11, 20) == pytest.approx(90, abs=2)
    assert accepted(providers[1], 11, 20) == pytest.approx(9, abs=1)


def test_an_unknown_lane_is_named_with_those_that_there_are() -> None:
    caught: list[str] = []

    async def change(engine: Engine) -> None:
        try:
            engine.adjust(Adjustment(lane="c", rpm=60))
        except InputError as error:
            caught.append(str(error))

    Trial([Provider(name="a"), Provider(name="b")], seconds=1, meanwhile=change).run()

    assert caught == ["no endpoint is called 'c'; there are: a, b"]


def test_the_ceiling_is_changed_both_ways() -> None:
    open_: list[int] = []
    provider = Provider()

    async def change(engine: Engine) -> None:
        for ceiling in (10, 3, 12):
            engine.adjust(Adjustment(max_in_flight=ceiling))
            await asyncio.sleep(5)
            open_.append(engine.snapshot().in_flight)

    Trial([provider], seconds=16, max_in_flight=50, meanwhile=change).run()

    assert open_ == [10, 3, 12]


def test_a_snapshot_says_how_each_lane_stands() -> None:
    providers = [
        Provider(name="open", rpm=6000, headers=True),
        Provider(name="waits"),
        Provider(name="broken"),
    ]
    providers[2].fault = lambda moment, _request: (
        OverloadedError("HTTP 503: busy") if moment > 1 else None
    )
    lanes = [Lane(one) for one in providers]
    lanes[1] = Lane(providers[1], Limits(rpm=6))
    seen: list[EngineSnapshot] = []

    async def look(engine: Engine) -> None:
        await asyncio.sleep(15.1)
        seen.append(engine.snapshot())

    Trial(providers, lanes=lanes, seconds=16, meanwhile=look).run()

    first, second, third = seen[0].lanes
    assert (first.name, first.limits[0].meter, first.limits[0].learned) == (
        "open",
        "requests",
        True,
    )
    assert first.limits[0].used == pytest.approx(1, abs=0.1)
    assert first.limits[0].left is not None
    assert (second.state, second.limits[0].learned) == ("waiting", False)
    assert second.until == pytest.approx(5, abs=0.5)
    assert (third.state, third.why) == ("broken", "HTTP 503: busy")
    assert third.until is not None
    assert third.until <= 2
    assert seen[0].in_flight == sum(lane.in_flight for lane in seen[0].lanes)
    assert seen[0].answered == sum(lane.answered for lane in seen[0].lanes)
