"""Several endpoints share the work, and stand in for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from engine.harness import Bench, hello

from asyncgen.engine import RetryPolicy
from asyncgen.errors import (
    EndpointRefusedError,
    RunPausedError,
    TransientError,
    UnreachableError,
)

if TYPE_CHECKING:
    from asyncgen.records import Request


def test_a_wait_that_is_asked_for_closes_the_endpoint_for_all() -> None:
    def script(request: Request, attempt: int) -> str | Exception:
        if (request.key, attempt) == ("0", 1):
            return TransientError("rate limit", retry_after=30)
        return "fine"

    bench = Bench([script], total=20, max_in_flight=2)
    outcome = bench.run()

    assert outcome.error is None
    assert not [moment for moment, _, _ in bench.sent if 1 <= moment < 31]
    again = [moment for moment, _, number in bench.sent if number == 0][1]
    assert 31 <= again <= 31 + 30 / 4 + 1


def test_the_other_endpoint_takes_over_while_one_is_closed() -> None:
    def script(_request: Request, attempt: int) -> str | Exception:
        return TransientError("rate limit", retry_after=1000) if attempt == 1 else "fine"

    bench = Bench([script, hello], total=20, max_in_flight=2, delay=lambda _r, _a: 1.0)
    outcome = bench.run()

    assert outcome.error is None
    assert [name for _, name, _ in bench.sent].count("a") == 1 + len(
        [moment for moment, name, _ in bench.sent if name == "a" and moment >= 1001]
    )
    assert {name for moment, name, _ in bench.sent if 1 <= moment < 1001} == {"b"}


def test_two_endpoints_share_the_work_evenly() -> None:
    bench = Bench([hello, hello], total=40, max_in_flight=8)
    bench.run()

    names = [name for _, name, _ in bench.sent]
    assert names.count("a") == names.count("b") == 20


def test_the_idler_endpoint_is_preferred() -> None:
    bench = Bench([hello, hello], total=100, max_in_flight=8, slowness={"a": 10})
    bench.run()

    names = [name for _, name, _ in bench.sent]
    assert names.count("b") > 2 * names.count("a") > 0


def test_an_endpoint_that_cannot_be_reached_at_first_is_a_wrong_address() -> None:
    outcome = Bench([lambda _r, _a: UnreachableError("connection refused")]).run()

    assert isinstance(outcome.error, EndpointRefusedError)
    assert outcome.snapshot.retried == 0


@pytest.mark.parametrize("in_flight", [1, 2, 64])
def test_an_endpoint_that_is_down_at_first_is_an_outage_if_another_answers(in_flight: int) -> None:
    """Nothing at one address refuses at once; the other takes a second to answer."""

    def refused(_request: Request, _attempt: int) -> Exception:
        return UnreachableError("connection refused")

    bench = Bench([refused, hello], total=100, max_in_flight=in_flight, slowness={"a": 0.0})
    outcome = bench.run()

    assert outcome.error is None
    assert len(outcome.answers) == 100


def test_endpoints_none_of_which_can_be_reached_at_first_are_wrong_addresses() -> None:
    def refused(_request: Request, _attempt: int) -> Exception:
        return UnreachableError("connection refused")

    outcome = Bench([refused, refused, refused], total=100).run()

    assert isinstance(outcome.error, EndpointRefusedError)


def test_an_endpoint_that_goes_away_later_is_tried_again() -> None:
    def script(request: Request, attempt: int) -> str | Exception:
        if request.key != "0" and attempt < 4:
            return UnreachableError("connection refused")
        return "fine"

    outcome = Bench([script], total=4, max_in_flight=1).run()

    assert outcome.error is None
    assert outcome.snapshot.retried == 9


def test_attempts_that_are_used_up_pause_the_run() -> None:
    bench = Bench(
        [lambda _r, _a: TransientError("HTTP 503: overloaded")],
        total=1,
        retry=RetryPolicy(max_attempts=3),
    )
    outcome = bench.run()

    assert isinstance(outcome.error, RunPausedError)
    assert str(outcome.error) == "gave up after 3 attempts: HTTP 503: overloaded"
    assert len(bench.sent) == 3
