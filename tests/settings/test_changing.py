"""What is changed of the settings while a run works is what a later session begins with."""

from __future__ import annotations

import tomllib

import pytest

from asyncgen.errors import SettingsError
from asyncgen.settings import (
    Change,
    EndpointSettings,
    Settings,
    changed,
    differences,
    resolve,
    to_toml,
)

A, B = "https://a.example/v1", "https://b.example/v1"


def settings(**given: object) -> Settings:
    return resolve({"endpoint": [A, B], "model": "m", **given}, {})


def limits(of: Settings, name: str) -> list[object]:
    return [getattr(lane, name) for lane in of.lanes()]


def test_a_change_for_all_is_for_those_with_settings_of_their_own_too() -> None:
    before = settings(rpm=100, endpoints=[{"url": "https://c.example/v1", "rpm": 5, "tpm": 7}])
    after = changed(before, Change(rpm=60))

    assert limits(before, "rpm") == [100, 100, 5]
    assert limits(after, "rpm") == [60, 60, 60]
    assert limits(after, "tpm") == [None, None, 7]


def test_a_change_for_one_leaves_the_others_and_the_order_as_they_were() -> None:
    before = settings(rpm=100, endpoints=[{"url": "https://c.example/v1", "weight": 2.0}])
    after = changed(before, Change(endpoint=B, rpm=60, max_in_flight=3))

    assert [lane.url for lane in after.lanes()] == [lane.url for lane in before.lanes()]
    assert limits(after, "rpm") == [100, 60, 100]
    assert limits(after, "max_in_flight") == [None, 3, None]
    assert limits(after, "weight") == [1, 1, 2]
    assert after.max_in_flight == before.max_in_flight


def test_a_limit_of_the_run_can_be_lifted_for_one() -> None:
    after = changed(settings(rpm=100, tpm=9), Change(endpoint=A, rpm="none"))

    assert limits(after, "rpm") == [None, 100]
    assert limits(after, "tpm") == [9, 9]


def test_two_keys_of_one_url_are_changed_together() -> None:
    keys = [EndpointSettings(url=A, api_key_env=name) for name in ("FIRST", "SECOND")]
    after = changed(Settings(endpoints=tuple(keys), model="m"), Change(endpoint=A, rpm=9))

    assert limits(after, "rpm") == [9, 9]


def test_limits_and_budget_are_lifted() -> None:
    after = changed(settings(rpm=100, max_cost=2.0), Change(rpm="none", max_cost="none"))

    assert (after.rpm, after.max_cost) == (None, None)


@pytest.mark.parametrize(
    "change", [Change(rpm=60, max_cost=1.5), Change(endpoint=B, rpm=60), Change(max_in_flight=1)]
)
def test_a_changed_run_is_the_same_run_and_is_read_back_as_it_was_written(change: Change) -> None:
    before = settings(rpm=100)
    after = changed(before, change)

    assert differences(before, after) == []
    assert resolve(tomllib.loads(to_toml(after)), {}) == after


@pytest.mark.parametrize("url", ["local", "simulated"])
def test_what_asyncgen_starts_itself_is_one_endpoint_and_keeps_its_name(url: str) -> None:
    after = changed(resolve({"endpoint": url}, {}), Change(endpoint=url, rpm=60))

    assert (after.endpoint, after.rpm) == ((url,), 60)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (Change(), "nothing to change is given"),
        (Change(endpoint=A), "nothing to change is given"),
        (Change(rpm=-1), "--rpm -1: must be a positive number"),
        (Change(rpm=float("nan")), "--rpm nan: must be a positive number"),
        (Change(max_in_flight=0), "--max-in-flight 0: must be at least 1"),
        (Change(endpoint=A, max_cost=1), "--max-cost holds for the whole run"),
        (Change(endpoint=B, rpm=0), "rpm 0: must be a positive number"),
        (Change(endpoint="https://z.example", rpm=1), f"none of that URL, but {A}, {B}"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_in_one_line(change: Change, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        changed(settings(), change)

    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_judge_s_limits_are_its_own_and_change_alone_or_with_all() -> None:
    before = settings(rpm=100, judge={"url": "https://j.example/v1", "model": "j"})
    alone = changed(before, Change(endpoint="https://j.example/v1", rpm=7))
    together = changed(alone, Change(rpm=50))

    assert limits(before, "rpm") == [100, 100, None]
    assert limits(alone, "rpm") == [100, 100, 7]
    assert limits(together, "rpm") == [50, 50, 50]
    assert limits(changed(alone, Change(endpoint=A, rpm=9)), "rpm") == [9, 100, 7]
