"""The engine keeps requests in flight, and asks each one to the end."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio.lowlevel import checkpoint
from engine.harness import Bench, Listed, ask
from support.clock import run_virtually

from asyncgen.endpoints.scripted import ScriptedEndpoint
from asyncgen.engine import Engine, EngineOptions, Lane, Limits, RetryPolicy
from asyncgen.errors import (
    EndpointRefusedError,
    RequestRejectedError,
    RunFolderError,
    RunPausedError,
    TransientError,
    UnreachableError,
)
from asyncgen.records import Usage

if TYPE_CHECKING:
    from pathlib import Path

    from asyncgen.records import Answer, Completion, Request


def hello(_request: Request, _attempt: int) -> str:
    return "hello world"


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


def test_a_refusal_before_the_first_answer_does_not_wait_for_what_hangs() -> None:
    """With a wrong key every request fares alike: the others are dropped."""
    bench = Bench(
        [lambda _r, _a: EndpointRefusedError("wrong key")],
        delay=lambda request, _attempt: 2.0 if request.key == "1" else 1e6,
    )
    outcome = bench.run()

    assert isinstance(outcome.error, EndpointRefusedError)
    assert outcome.seconds == 2


def test_an_error_after_the_first_answer_waits_for_what_is_paid() -> None:
    def script(request: Request, _attempt: int) -> str | Exception:
        return RunPausedError("no credit left") if request.key == "1" else "fine"

    bench = Bench(
        [script],
        max_in_flight=3,
        total=100,
        delay=lambda request, _attempt: {"0": 1.0, "1": 2.0}.get(request.key, 50.0),
    )
    outcome = bench.run()

    assert str(outcome.error) == "no credit left"
    assert outcome.keys == [0, 2, 3]
    assert outcome.seconds == 51


def test_only_the_first_of_several_errors_is_reported() -> None:
    def script(request: Request, _attempt: int) -> str | Exception:
        return "fine" if request.key == "0" else RunPausedError(f"error {request.key}")

    bench = Bench([script], delay=lambda request, _attempt: 1.0 + int(request.key))

    assert str(bench.run().error) == "error 1"


def test_only_the_first_of_several_failures_to_keep_an_answer_is_reported(tmp_path: Path) -> None:
    async def keep(answer: Answer) -> None:
        raise RunFolderError(tmp_path, f"error {answer.request.key}")

    bench = Bench([hello], on_delivery=keep, delay=lambda request, _attempt: 4.0 - int(request.key))
    outcome = bench.run()

    assert isinstance(outcome.error, RunFolderError)
    assert outcome.error.problem == "error 3"


def test_stop_launches_nothing_more_and_finishes_what_is_in_the_air() -> None:
    async def stop(engine: Engine) -> None:
        await anyio.sleep(2.5)
        engine.stop()

    bench = Bench([hello], total=1000, max_in_flight=5, meanwhile=stop)
    outcome = bench.run()

    assert outcome.error is None
    assert outcome.seconds == 3
    assert sorted(outcome.keys) == list(range(15))


def test_stop_finishes_what_is_in_the_air_on_an_unpaid_endpoint_too() -> None:
    async def stop(engine: Engine) -> None:
        await anyio.sleep(0.5)
        engine.stop()

    outcome = Bench([hello], total=1000, paid=False, meanwhile=stop).run()

    assert sorted(outcome.keys) == [0, 1, 2, 3]


def test_stop_does_not_wait_for_those_that_back_off() -> None:
    async def stop(engine: Engine) -> None:
        await anyio.sleep(5)
        engine.stop()

    script = TransientError("busy", retry_after=10_000)
    outcome = Bench([lambda _r, _a: script], meanwhile=stop).run()

    assert outcome.error is None
    assert outcome.seconds == 5


@pytest.mark.parametrize(("paid", "seconds"), [(True, 100), (False, 1)])
def test_at_the_end_only_paid_answers_are_waited_for(paid: bool, seconds: float) -> None:  # noqa: FBT001
    """Ten are wanted, one more is in the air."""

    class Enough(Listed):
        @property
        def finished(self) -> bool:
            return self.done >= 10

    bench = Bench(
        [hello],
        source=Enough(11),
        max_in_flight=11,
        paid=paid,
        delay=lambda request, _attempt: 100.0 if request.key == "10" else 1.0,
    )
    outcome = bench.run()

    assert outcome.seconds == seconds
    assert len(outcome.answers) == (11 if paid else 10)


def test_an_answer_that_cannot_be_kept_ends_the_run_with_that_error(tmp_path: Path) -> None:
    """Others that are in the air still get their chance, and nothing waits for ever."""

    async def keep(answer: Answer) -> None:
        await anyio.sleep(0.1)
        if answer.request.key == "7":
            raise RunFolderError(tmp_path, "the disk is full")

    bench = Bench([hello], total=1000, max_in_flight=4, on_delivery=keep)
    outcome = bench.run()

    assert isinstance(outcome.error, RunFolderError)
    assert 7 not in outcome.keys
    assert set(range(7)) <= set(outcome.keys)
    assert len(outcome.keys) < 20


def test_all_answers_that_cannot_be_kept_end_the_run_too(tmp_path: Path) -> None:
    async def keep(_answer: Answer) -> None:
        raise RunFolderError(tmp_path, "the disk is full")

    outcome = Bench([hello], total=100, on_delivery=keep).run()

    assert isinstance(outcome.error, RunFolderError)
    assert outcome.keys == []


def test_what_a_source_raises_ends_the_run_with_that_error() -> None:
    class Weary(Listed):
        def next_request(self) -> Request | None:
            if self.handed_out == 6:
                raise RunPausedError("nothing new comes any more")
            return super().next_request()

    outcome = Bench([hello], source=Weary(100), max_in_flight=4).run()

    assert isinstance(outcome.error, RunPausedError)
    assert sorted(outcome.keys) == list(range(6))


def test_a_source_that_wants_more_but_asks_nothing_is_a_bug() -> None:
    """An engine that waited for it would wait for ever."""

    class Starved(Listed):
        @property
        def finished(self) -> bool:
            return False

    outcome = Bench([hello], source=Starved(3)).run()

    assert isinstance(outcome.error, RuntimeError)
    assert "nothing to ask" in str(outcome.error)
    assert outcome.keys == [0, 1, 2]


def test_a_source_may_have_nothing_to_ask_until_an_answer_is_delivered() -> None:
    class OneByOne(Listed):
        def next_request(self) -> Request | None:
            return super().next_request() if self.handed_out == self.done else None

    outcome = Bench([hello], source=OneByOne(5)).run()

    assert outcome.error is None
    assert outcome.seconds == 5


def test_a_finished_source_sends_nothing() -> None:
    bench = Bench([hello], total=0)

    assert bench.run().answers == []
    assert bench.sent == []


@pytest.mark.parametrize("steps", range(60))
def test_cancelled_at_any_step_it_leaves_nothing_open(steps: int) -> None:
    """However far the loop has come, no counter keeps what is gone."""
    rng = random.Random(steps)
    outcomes: list[str | Exception] = ["fine", TransientError("busy"), RequestRejectedError("no")]

    def script(_request: Request, _attempt: int) -> str | Exception:
        return rng.choice(outcomes)

    async def main() -> None:
        endpoint = ScriptedEndpoint(script)
        lane = Lane(endpoint, Limits(tpm=60_000))
        source = Listed(8)
        delivered: list[str] = []

        async def deliver(answer: Answer) -> None:
            await checkpoint()
            delivered.append(answer.request.key)
            source.done += 1

        options = EngineOptions(
            max_in_flight=3, retry=RetryPolicy(base=0, cap=0), clock=lambda: 1.0
        )
        engine = Engine([lane], deliver, options)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.run, source)
            for _ in range(steps):
                await checkpoint()
            tasks.cancel_scope.cancel()

        assert engine.snapshot().in_flight == len(engine._attempts) == 0
        assert endpoint.in_flight == 0
        assert len(set(delivered)) == len(delivered)

    run_virtually(main)


def test_cancelled_tokens_are_given_back() -> None:
    async def main() -> None:
        endpoint = ScriptedEndpoint(hello, delay=lambda _request, _attempt: 1e6)
        lane = Lane(endpoint, Limits(tpm=60_000))
        before = lane.limits.delay(lane.cost_of(ask(0)), 10)

        async def deliver(_answer: Answer) -> None:
            """Take it."""

        engine = Engine([lane], deliver, EngineOptions(max_in_flight=3, clock=lambda: 10.0))
        with anyio.move_on_after(1):
            await engine.run(Listed(8))

        assert len(endpoint.requests) == 3
        assert lane.limits.delay(lane.cost_of(ask(0)), 10) == before == 0

    run_virtually(main)


def test_a_bug_in_an_endpoint_is_not_taken_for_an_answer() -> None:
    def script(_request: Request, _attempt: int) -> Completion | str | Exception:
        return KeyError("a bug")

    outcome = Bench([script]).run()

    assert isinstance(outcome.error, ExceptionGroup)
    assert outcome.error.subgroup(KeyError) is not None
