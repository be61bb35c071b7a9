"""What is known from before is not asked: it costs no place, no limit and no money."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.harness import Bench, hello

from asyncgen.errors import RequestRejectedError, RunFolderError
from asyncgen.records import Answer, Completion, Request

if TYPE_CHECKING:
    from collections.abc import Sequence


class Remembered:
    """Knows answers by identity and number, and notes what it is given."""

    def __init__(self, *known: tuple[str, int]) -> None:
        self.known = set(known)
        self.kept: list[tuple[str, int, str]] = []

    def recall(self, request: Request, identities: Sequence[str]) -> Completion | None:
        """Return what it knows of the first identity that it knows anything of."""
        for identity in identities:
            if (identity, int(request.key)) in self.known:
                return Completion(text=f"as {identity} said", finish_reason="stop", recalled=True)
        return None

    def keep(self, answer: Answer, identity: str) -> None:
        """Note it."""
        self.kept.append((identity, int(answer.request.key), answer.completion.finish_reason))


def test_what_is_known_is_delivered_and_not_sent() -> None:
    bench = Bench([hello], total=10, memory=Remembered(*(("scripted", n) for n in range(0, 10, 2))))
    outcome = bench.run()

    assert sorted(outcome.keys) == list(range(10))
    assert sorted(number for _, _, number in bench.sent) == [1, 3, 5, 7, 9]
    assert (outcome.snapshot.answered, outcome.snapshot.recalled) == (5, 5)
    assert outcome.snapshot.usage.input_tokens == 5 * len("fixed question 1".split())


def test_what_is_known_needs_no_place_and_no_limit() -> None:
    """One request a minute and at a time; the first is sent, and all others are known."""
    memory = Remembered(*(("scripted", number) for number in range(1, 100)))
    outcome = Bench([hello], total=100, memory=memory, rpm=1, max_in_flight=1).run()

    assert outcome.error is None
    assert outcome.seconds == 1
    assert outcome.keys == [*range(1, 100), 0]


def test_a_source_that_knows_everything_needs_no_endpoint_that_works() -> None:
    def dead(_request: Request, _attempt: int) -> Exception:
        return RequestRejectedError("never")

    memory = Remembered(*(("scripted", number) for number in range(10)))
    bench = Bench([dead], total=10, memory=memory)
    outcome = bench.run()

    assert outcome.keys == list(range(10))
    assert bench.sent == []
    assert outcome.seconds == 0


def test_of_several_models_that_answered_the_first_lane_s_counts() -> None:
    memory = Remembered(("m2", 0), ("m1", 0), ("m2", 1))
    outcome = Bench([hello, hello], total=2, memory=memory, identities=("m1", "m2")).run()

    assert [one.completion.text for one in outcome.answers] == ["as m1 said", "as m2 said"]


def test_what_is_answered_is_kept_under_the_model_that_was_asked_once_it_is_delivered() -> None:
    memory = Remembered(("m1", 0))
    delivered: list[int] = []

    async def on_delivery(answer: Answer) -> None:
        assert int(answer.request.key) not in {number for _, number, _ in memory.kept}
        delivered.append(int(answer.request.key))

    bench = Bench(
        [hello, hello], 20, memory=memory, identities=("m1", "m2"), on_delivery=on_delivery
    )
    bench.run()
    identity = {"a": "m1", "b": "m2"}

    assert sorted(memory.kept) == sorted(
        (identity[name], number, "stop") for _, name, number in bench.sent
    )
    assert {name for _, name, _ in bench.sent} == {"a", "b"}
    assert len(delivered) == 20


def test_an_answer_that_could_not_be_delivered_is_not_kept_and_ends_the_run() -> None:
    async def full(answer: Answer) -> None:
        if int(answer.request.key) == 3:
            raise RunFolderError(Path("run"), "disk full")

    memory = Remembered(*(("scripted", number) for number in range(3, 10)))
    bench = Bench([hello], total=10, memory=memory, on_delivery=full, max_in_flight=1)
    outcome = bench.run()

    assert isinstance(outcome.error, RunFolderError)
    assert set(outcome.keys) == {0, 1, 2}
    assert {number for _, number, _ in memory.kept} == {0, 1, 2}
