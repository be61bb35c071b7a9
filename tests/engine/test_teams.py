"""Lanes that serve some stages only: each request goes where it may, and waits for nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from engine.harness import Bench, Listed, ask, hello
from engine.test_memory import Remembered

from asyncgen.errors import EndpointRefusedError, RunPausedError, TransientError

if TYPE_CHECKING:
    from collections.abc import Collection

    from asyncgen.records import Request, Stage

APART: tuple[frozenset[Stage], ...] = (
    frozenset({"generation", "classification", "instances"}),
    frozenset({"judging"}),
)


class Mixed(Listed):
    """Has as many requests to make as to judge: even numbers are of the first kind."""

    def __init__(self, total: int) -> None:
        super().__init__(total)
        self._numbers: dict[Stage, list[int]] = {
            "generation": list(range(0, total, 2))[::-1],
            "judging": list(range(1, total, 2))[::-1],
        }

    def next_request(self, stages: Collection[Stage] | None = None, /) -> Request | None:
        """Hand over the next of a stage that may be asked."""
        for stage, numbers in self._numbers.items():
            if numbers and (stages is None or stage in stages):
                return msgspec.structs.replace(ask(numbers.pop()), stage=stage)
        return None


def test_each_request_goes_to_a_lane_that_serves_its_stage() -> None:
    bench = Bench([hello, hello], source=Mixed(40), stages=APART, max_in_flight=8)
    outcome = bench.run()

    assert outcome.error is None
    assert sorted(outcome.keys) == list(range(40))
    assert {(name, number % 2) for _, name, number in bench.sent} == {("a", 0), ("b", 1)}


def test_a_lane_for_all_stages_helps_out_one_that_serves_some() -> None:
    bench = Bench([hello, hello], source=Mixed(40), stages=(None, APART[1]), max_in_flight=8)
    bench.run()

    assert {name for _, name, number in bench.sent if number % 2} == {"a", "b"}
    assert {name for _, name, number in bench.sent if not number % 2} == {"a"}


def test_a_judge_that_asks_to_wait_holds_up_nothing_else() -> None:
    def closed(_request: Request, attempt: int) -> str | Exception:
        return TransientError("HTTP 503", retry_after=100) if attempt == 1 else "fine"

    bench = Bench([hello, closed], source=Mixed(40), stages=APART, max_in_flight=2)
    outcome = bench.run()
    made = [moment for moment, name, _ in bench.sent if name == "a"]

    assert outcome.error is None
    assert len(made) == 20
    assert max(made) < 100
    assert min(moment for moment, name, _ in bench.sent[20:] if name == "b") >= 100


def test_a_judge_that_refuses_for_good_is_not_stood_in_for() -> None:
    def refused(_request: Request, _attempt: int) -> Exception:
        return EndpointRefusedError("b: HTTP 401, key refused")

    bench = Bench([hello, refused], source=Mixed(40), stages=APART, max_in_flight=2)
    outcome = bench.run()

    assert isinstance(outcome.error, EndpointRefusedError)
    assert not any(name == "a" and number % 2 for _, name, number in bench.sent)


def test_without_a_judge_left_the_run_pauses() -> None:
    def closed(_request: Request, _attempt: int) -> Exception:
        return TransientError("b: HTTP 503", retry_after=10_000)

    outcome = Bench([hello, closed], source=Mixed(40), stages=APART, max_in_flight=2).run()

    assert isinstance(outcome.error, RunPausedError)
    assert "b: HTTP 503" in str(outcome.error)


def test_what_another_model_answered_before_is_not_taken_for_a_judge_s() -> None:
    memory = Remembered(*(("maker", number) for number in range(10)), ("judge", 1))
    bench = Bench(
        [hello, hello],
        source=Mixed(10),
        stages=APART,
        memory=memory,
        identities=("maker", "judge"),
    )
    outcome = bench.run()

    assert sorted(outcome.keys) == list(range(10))
    assert sorted(number for _, _, number in bench.sent) == [3, 5, 7, 9]
