"""The engine keeps requests in flight, and asks each one to the end."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import anyio
import pytest
from engine.harness import Bench, Listed, hello

from asyncgen.engine import RetryPolicy
from asyncgen.errors import (
    EndpointRefusedError,
    RequestRejectedError,
    TransientError,
)
from asyncgen.records import Usage

if TYPE_CHECKING:
    from collections.abc import Collection

    from asyncgen.records import Answer, Request, Stage


def test_every_request_is_answered() -> None:
    outcome = Bench([hello], total=10).run()

    assert outcome.error is None
    assert sorted(outcome.keys) == list(range(10))
    assert {answer.completion.text for answer in outcome.answers} == {"hello world"}


def test_places_are_used_to_the_full_and_never_exceeded() -> None:
    """The harness counts what is open at each departure; 100 requests of 1 s in 8 places: 13 s."""
    bench = Bench([hello], total=100, max_in_flight=8)
    outcome = bench.run()

    assert bench.endpoints[0].most_in_flight == 8
    assert outcome.seconds == 13


def test_a_place_is_free_again_while_an_answer_is_still_being_delivered() -> None:
    async def slowly(_answer: Answer) -> None:
        await anyio.sleep(100)

    outcome = Bench([hello], total=10, max_in_flight=1, on_delivery=slowly).run()

    assert outcome.seconds == 110


def test_the_snapshot_counts_what_happened() -> None:
    def script(request: Request, attempt: int) -> str | Exception:
        if attempt == 1 and request.key in {"2", "5"}:
            return TransientError("lost", possibly_billed=request.key == "2")
        return "three little words"

    outcome = Bench([script], total=8).run()
    seen = outcome.snapshot

    assert (seen.in_flight, seen.backing_off) == (0, 0)
    assert (seen.answered, seen.retried, seen.possibly_billed) == (8, 2, 1)
    assert seen.usage == Usage(input_tokens=8 * 3, output_tokens=8 * 3)


def test_an_answer_says_how_often_it_was_tried() -> None:
    def script(request: Request, attempt: int) -> str | Exception:
        return TransientError("busy") if attempt <= int(request.key) else "done"

    outcome = Bench([script], total=4).run()

    attempts = {int(answer.request.key): answer.completion.attempts for answer in outcome.answers}
    assert attempts == {0: 1, 1: 2, 2: 3, 3: 4}


def test_a_rejected_request_is_answered_so_and_the_others_go_on() -> None:
    def script(request: Request, _attempt: int) -> str | Exception:
        return RequestRejectedError("HTTP 400: too long") if request.key == "3" else "fine"

    outcome = Bench([script], total=6).run()

    assert outcome.error is None
    rejected = {answer.request.key: answer.completion for answer in outcome.answers}["3"]
    assert (rejected.finish_reason, rejected.text) == ("error", "HTTP 400: too long")
    assert rejected.usage == Usage()


def test_no_place_is_held_while_backing_off() -> None:
    """One place: all others are answered while the first waits for its second attempt."""

    def script(request: Request, attempt: int) -> str | Exception:
        if (request.key, attempt) == ("0", 1):
            return TransientError("busy", retry_after=0)
        return "fine"

    policy = RetryPolicy(base=1e6, cap=1e6)
    bench = Bench([script], total=6, max_in_flight=1, retry=policy)
    outcome = bench.run()

    assert [number for _, _, number in bench.sent] == [0, 1, 2, 3, 4, 5, 0]
    assert outcome.keys == [1, 2, 3, 4, 5, 0]


def test_a_retry_that_is_due_goes_before_anything_new() -> None:
    def script(request: Request, attempt: int) -> str | Exception:
        return TransientError("busy") if (request.key, attempt) == ("0", 1) else "fine"

    policy = RetryPolicy(base=0.5, cap=0.5)
    bench = Bench([script], total=6, max_in_flight=1, retry=policy)
    bench.run()

    assert [number for _, _, number in bench.sent] == [0, 1, 0, 2, 3, 4, 5]


@pytest.mark.parametrize("seed", range(25))
def test_each_request_is_answered_exactly_once_under_random_failures(seed: int) -> None:
    """Overload, lost connections, rejections, waits asked for, on two endpoints."""
    rng = random.Random(seed)

    def script(_request: Request, _attempt: int) -> str | Exception:
        outcomes: list[str | Exception] = [
            "fine",
            "fine",
            TransientError("busy"),
            TransientError("wait", retry_after=rng.choice([0.0, 0.5, 30.0])),
            TransientError("lost", possibly_billed=True),
            RequestRejectedError("too long"),
        ]
        return rng.choice(outcomes)

    bench = Bench(
        [script, script],
        total=60,
        delay=lambda _request, _attempt: rng.uniform(0, 5),
        max_in_flight=rng.choice([1, 3, 16, 64]),
        retry=RetryPolicy(max_attempts=1000),
        rpm=rng.choice([None, 120]),
        tpm=rng.choice([None, 60_000]),
    )
    outcome = bench.run()

    assert outcome.error is None
    assert sorted(outcome.keys) == list(range(60))
    assert outcome.snapshot.retried == len(bench.sent) - 60


def test_limits_hold_for_what_is_sent() -> None:
    """A new start every half second at most, after a first one at once, in any window."""
    bench = Bench([hello], total=60, max_in_flight=64, rpm=120)
    bench.run()

    moments = [moment for moment, _, _ in bench.sent]
    for first in range(60):
        for last in range(first, 60):
            allowed = 2 * (moments[last] - moments[first]) + 2
            assert last - first + 1 <= allowed + 1e-6
    assert moments[-1] == pytest.approx(59 / 2)


def test_what_was_reserved_and_not_used_is_free_for_others_at_once() -> None:
    """Each request is expected to take 256 tokens and takes 5: 50 of them in 2-3 s."""
    bench = Bench([hello], total=50, max_in_flight=1, tpm=6000, delay=lambda _r, _a: 0.0)
    bench.run()

    assert 1 < bench.sent[-1][0] < 4


def test_a_request_that_can_never_pass_the_limits_ends_the_run_with_the_numbers() -> None:
    outcome = Bench([hello], tpm=100).run()

    assert isinstance(outcome.error, EndpointRefusedError)
    assert "100 tokens a minute" in str(outcome.error)


def test_a_finished_source_sends_nothing() -> None:
    bench = Bench([hello], total=0)

    assert bench.run().answers == []
    assert bench.sent == []


def test_a_source_may_have_nothing_to_ask_until_an_answer_is_delivered() -> None:
    class OneByOne(Listed):
        def next_request(self, _stages: Collection[Stage] | None = None, /) -> Request | None:
            return super().next_request() if self.handed_out == self.done else None

    outcome = Bench([hello], source=OneByOne(5)).run()

    assert outcome.error is None
    assert outcome.seconds == 5
