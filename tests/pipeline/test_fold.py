"""The fold: a run's state follows from its answers, whatever order they came in."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import msgspec
import pytest
from rapidfuzz.distance import LCSseq
from support.scripts import answer
from support.session import SEEDS, Session

from asyncgen.errors import AsyncgenError
from asyncgen.pipeline.fold import Fold
from asyncgen.pipeline.harvest import harvest
from asyncgen.pipeline.sampling import draw_demonstrations
from asyncgen.records import Answer, Completion, Request
from asyncgen.settings import Settings, resolve
from asyncgen_kernels import tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.pipeline.prompts import PromptBook
    from asyncgen.records import Task


def _settings(**changes: object) -> Settings:
    flags = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "api": "completions", **changes}
    return resolve({}, flags)


class _Session(Session):
    def __init__(self, **changes: object) -> None:
        super().__init__(_settings(**changes), lambda request: _answered(request).completion)


def _answered(request: Request) -> Answer:
    prompt = request.prompt
    shown = "".join("\n".join(turn) + "\n" for turn in prompt.turns)
    text = answer(prompt.fixed + shown + prompt.variable)
    return Answer(request, Completion(text=text, finish_reason="stop", model="m", endpoint="e"))


@pytest.mark.parametrize("in_flight", [1, 5, 64, 500])
def test_the_dataset_does_not_depend_on_what_was_in_flight(in_flight: int) -> None:
    expected = _Session(target=60, look_ahead=8)
    expected.work(1, random.Random(0))
    session = _Session(target=60, look_ahead=8)
    session.work(in_flight, random.Random(in_flight))

    assert session.result() == expected.result()


def test_a_run_resumed_at_any_moment_ends_with_the_same_dataset() -> None:
    expected = _Session(target=40, look_ahead=6)
    expected.work(1, random.Random(0))
    rng = random.Random(7)
    session = _Session(target=40, look_ahead=6)
    while not session.agenda.finished:
        session.work(rng.choice([1, 3, 40]), rng, most=len(session.journal) + rng.randrange(1, 30))
        session.resume(session.journal)

    assert session.result() == expected.result()


def test_the_live_state_is_the_replayed_one_after_every_commit() -> None:
    """Answers in any order, some refused, cut off, empty or not understood."""
    rng = random.Random(11)
    session = _Session(target=24, look_ahead=4, saturation_bound=0.0)
    air: list[Request] = []
    while not session.agenda.finished:
        while len(air) < 12 and (request := session.agenda.next_request()):
            air.append(request)
        session.commit(_spoilt(_answered(air.pop(rng.randrange(len(air)))), rng))
        replayed = Fold(session.settings, SEEDS, session.prompts)
        for one in session.journal:
            replayed.commit(one)
        assert session.fold.snapshot() == replayed.snapshot()

    state = session.fold.snapshot()
    assert {"request_failed", "cut_off", "empty"} <= state["reasons"]["generation"].keys()
    assert {"request_failed", "no_instance"} <= state["reasons"]["instances"].keys()
    assert state["counts"]["undecided"] > 0


def test_states_that_differ_are_told_apart() -> None:
    one, other = _Session(), _Session()
    request = _next(one)
    one.commit(_answered(request))
    other.commit(_spoilt(_answered(request), random.Random(3), kind=1))

    assert one.fold.snapshot() != other.fold.snapshot()


def _spoilt(one: Answer, rng: random.Random, kind: int | None = None) -> Answer:
    """Return an answer that is refused, cut off, of no use, or (mostly) as it was."""
    text = one.completion.text
    if kind is None:
        # Of each kind one among the first few lists, which are few.
        generated = one.request.stage == "generation"
        kind = int(one.request.key) % 5 if generated else rng.randrange(9)
    spoilt: Completion = {
        0: Completion(text="refused", finish_reason="error"),
        1: Completion(text=text[: len(text) * 2 // 3], finish_reason="length"),
        2: Completion(text="\n", finish_reason="stop"),
    }.get(kind, one.completion)
    return msgspec.structs.replace(one, completion=spoilt)


def test_what_is_known_early_is_a_prefix_of_what_is_known_later() -> None:
    session = _Session(target=40)
    known: list[list[Task]] = []
    for most in range(20, 200, 20):
        session.work(16, random.Random(3), most=most)
        known.append(session.tasks())
        session.resume(session.journal)

    assert len(known[-1]) > len(known[0])
    assert all(later[: len(earlier)] == earlier for earlier, later in itertools.pairwise(known))


def test_nothing_kept_is_too_similar_to_a_seed_or_to_anything_before_it() -> None:
    session = _Session(target=30)
    session.work(16, random.Random(1))
    texts = [seed.instruction for seed in SEEDS]
    drafts = session.fold.drafts
    for draft, near in zip(drafts, session.fold.neighbours(drafts), strict=True):
        best = max(_rouge_l(draft.instruction, text) for text in texts)
        assert best <= 0.7
        assert near is not None
        assert near.score == pytest.approx(best)
        texts.append(draft.instruction)


def test_demonstrations_are_six_seeds_and_two_machine_made_once_there_are_some() -> None:
    session = _Session(target=60, look_ahead=2)
    session.work(4, random.Random(1))
    early, late = session.fold.turn(0).shown, session.fold.turn(5).shown

    assert sum(name.startswith("seed") for name in early) == 8
    assert sum(name.startswith("seed") for name in late) == 6
    assert session.fold.turn(5).shown == late


def test_provenance_names_what_was_shown_whatever_would_be_drawn_now() -> None:
    session = _Session(target=10)
    request = _next(session)
    assert request.shown == tuple(session.fold.turn(0).shown)

    shown = ("seed_task_9", "another_run_s")
    session.commit(_answered(msgspec.structs.replace(request, shown=shown)))
    assert {draft.provenance.demonstrations for draft in session.fold.drafts} == {shown}


def test_a_draw_depends_on_its_arguments_alone() -> None:
    human, machine = [f"s{n}" for n in range(50)], [f"m{n}" for n in range(9)]
    draws = [
        draw_demonstrations((seed, 3), human, machine, total=8, wanted_machine=2)
        for seed in (1, 1, 2)
    ]

    assert draws[0] == draws[1] != draws[2]
    assert draw_demonstrations((1, 3), human, ["m0"], total=8, wanted_machine=2).count("m0") == 1


def test_a_request_sees_the_pool_only_so_far_ahead() -> None:
    session = _Session(target=1000, look_ahead=5)
    asked = [session.agenda.next_request() for _ in range(6)]

    assert [request.key for request in asked if request] == ["0", "1", "2", "3", "4"]


def test_a_cut_answer_loses_only_its_last_item() -> None:
    session = _Session(target=10)
    text = " Name four rivers of Asia.\n10. Name four lakes of Af"
    request = session.agenda.next_request()
    assert request is not None
    session.commit(Answer(request, Completion(text=text, finish_reason="length")))

    assert [draft.instruction for draft in session.fold.drafts] == ["Name four rivers of Asia."]
    assert [one.reason for one in session.fold.rejections] == ["cut_off"]


def test_a_request_that_was_rejected_for_good_is_folded_like_an_answer() -> None:
    session = _Session(target=5)
    refusal = Completion(text="too long", finish_reason="error")
    session.commit(Answer(_next(session), refusal))
    session.work(3, random.Random(0))

    assert session.fold.rejections[0].reason == "request_failed"
    assert len(harvest(session.fold, 5).tasks) == 5


def test_an_answer_that_nobody_asked_for_is_an_error() -> None:
    session = _Session()
    request = session.prompts.classification("task_9_9", "Name a river.")
    with pytest.raises(AsyncgenError, match="task_9_9"):
        session.commit(_answered(request))


@pytest.mark.parametrize(
    "changes", [{"api": "chat"}, {"api": "completions"}, {"api": "chat", "continues": True}]
)
def test_the_fixed_part_of_a_stage_is_the_same_for_every_request(changes: dict[str, str]) -> None:
    book: PromptBook = _Session(**changes).prompts
    ask: list[Callable[[int], Request]] = [
        lambda n: book.generation(n, [f"task {n}"] * 8),
        lambda n: book.classification(f"t{n}", f"Do {n}."),
        lambda n: book.instances(f"t{n}", f"Do {n}.", is_classification=True),
        lambda n: book.instances(f"t{n}", f"Do {n}.", is_classification=False),
    ]
    for build in ask:
        one, other = build(1).prompt, build(2).prompt
        assert (one.fixed, one.turns) == (other.fixed, other.turns)
        assert one.variable != other.variable
        assert build(1) == build(1)
        assert build(1).sampling.seed != build(2).sampling.seed


def _rouge_l(one: str, other: str) -> float:
    left, right = tokenize(one), tokenize(other)
    return 2 * LCSseq.similarity(left, right) / (len(left) + len(right))


def _next(session: _Session) -> Request:
    request = session.agenda.next_request()
    assert request is not None
    return request
