"""However a run ends, nothing stays open and nothing paid for is dropped."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio.lowlevel import checkpoint
from engine.harness import Bench, Listed, hello
from support.clock import run_virtually

from asyncgen.endpoints.scripted import ScriptedEndpoint
from asyncgen.engine import Engine, EngineOptions, Lane, Limits, RetryPolicy
from asyncgen.errors import (
    EndpointRefusedError,
    RequestRejectedError,
    RunFolderError,
    RunPausedError,
    TransientError,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from asyncgen.records import Answer, Completion, Request, Stage


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

    script = TransientError("busy", retry_after=500)
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
        def next_request(self, _stages: Collection[Stage] | None = None, /) -> Request | None:
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

        async def deliver(_answer: Answer) -> None:
            """Take it."""

        options = EngineOptions(max_in_flight=3, clock=asyncio.get_running_loop().time)
        engine = Engine([Lane(endpoint, Limits(tpm=60_000))], deliver, options)
        used: list[float] = []
        with anyio.move_on_after(2):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(engine.run, Listed(8))
                await anyio.sleep(1)
                used.append(engine.snapshot().lanes[0].limits[0].used)
        used.append(engine.snapshot().lanes[0].limits[0].used)

        assert len(endpoint.requests) == 3
        assert used == [pytest.approx(0.77, abs=0.05), pytest.approx(0, abs=0.1)]

    run_virtually(main)


def test_a_bug_in_an_endpoint_is_not_taken_for_an_answer() -> None:
    def script(_request: Request, _attempt: int) -> Completion | str | Exception:
        return KeyError("a bug")

    outcome = Bench([script]).run()

    assert isinstance(outcome.error, ExceptionGroup)
    assert outcome.error.subgroup(KeyError) is not None
