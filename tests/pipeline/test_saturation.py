"""Where a run stops because too little of what comes back is new, or ends as a task."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest
from support.scripts import answer
from support.session import Session

from asyncgen.errors import RunPausedError
from asyncgen.pipeline.saturation import Yield, saturation_of
from asyncgen.records import Answer, Completion
from asyncgen.settings import resolve

if TYPE_CHECKING:
    from asyncgen.records import Request

_NOUNS = [
    f"{one}{other}{end}"
    for one in ("ba", "ke", "lo", "mi", "tu")
    for other in ("ra", "se", "vo", "ni")
    for end in ("x", "rn", "st")
]
_KNOWN = [f"Describe {' '.join(random.Random(number).sample(_NOUNS, 6))}." for number in range(150)]
"""All that the model can think of."""


def _poor(request: Request) -> Completion:
    """Answer with instructions out of few."""
    prompt = request.prompt
    text = answer(prompt.fixed + prompt.variable)
    if request.stage == "generation":
        rng = random.Random(prompt.variable)
        first = int(re.findall(r"(\d+)\.$", prompt.variable)[0])
        items = rng.choices(_KNOWN, k=rng.randrange(7))
        text = "\n".join(f"{first + n}. {item}" for n, item in enumerate(items))
        text = text.removeprefix(f"{first}.")
    return Completion(text=text, finish_reason="stop", model="m", endpoint="e")


def _clumsy(request: Request) -> Completion:
    """Answer with ever new instructions, and with instances that are ever worse."""
    prompt = request.prompt
    text = answer(prompt.fixed + prompt.variable)
    if request.stage == "instances":
        ordinal, position = map(int, request.key.split("_")[1:])
        good = ordinal < 3 or (ordinal < 20 and position % 4 == 0)
        text = f"Input: {request.key}\nOutput: It is {request.key}." if good else "Output:"
    return Completion(text=text, finish_reason="stop", model="m", endpoint="e")


class _Session(Session):
    def __init__(self, bound: float, *, window: int = 12, clumsy: bool = False) -> None:
        flags = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "api": "completions"}
        limits = {"saturation_bound": bound, "saturation_window": window, "look_ahead": 8}
        run = resolve({}, {**flags, **limits, "target": 1000})
        super().__init__(run, _clumsy if clumsy else _poor)

    def to_the_end(self, in_flight: int, most: int = 10**6) -> str:
        """Work as the engine does: what is in the air at the end is waited for."""
        rng = random.Random(in_flight)
        air: list[Request] = []
        said = ""
        while not said and len(self.journal) < most:
            try:
                while len(air) < in_flight and (request := self.agenda.next_request()):
                    air.append(request)
            except RunPausedError as error:
                said = str(error)
            while air:
                asked = air.pop(rng.randrange(len(air)))
                self.commit(Answer(asked, self._answered(asked)))
                if not said:
                    break
        return said


@pytest.mark.parametrize("in_flight", [3, 64, 500])
@pytest.mark.parametrize("clumsy", [False, True])
def test_a_run_dries_up_at_the_same_place_whatever_was_in_flight(
    in_flight: int, *, clumsy: bool
) -> None:
    expected, session = (_Session(0.4, clumsy=clumsy) for _ in range(2))
    said = expected.to_the_end(1)

    assert session.to_the_end(in_flight) == said
    assert "ended with a valid instance" in said if clumsy else "were new" in said
    assert session.result() == expected.result()
    assert len(session.journal) >= len(expected.journal)
    assert saturation_of(session.fold) == saturation_of(expected.fold)


def test_that_is_the_first_answer_after_which_the_share_is_below_the_bound() -> None:
    endless, session = _Session(0.0), _Session(0.4)
    session.to_the_end(5)
    endless.to_the_end(1, most=3 * len(session.journal))
    steps = [
        (len([one for one in endless.fold.drafts if one.provenance.ordinal == ordinal]), lost or 0)
        for ordinal in range(endless.fold.next_ordinal)
        for lost in [
            sum(
                one.ordinal == ordinal
                for one in endless.fold.rejections
                if one.stage == "generation"
            )
        ]
    ]
    stop = next(
        end
        for end in range(12, len(steps))
        if (kept := sum(k for k, _ in steps[end - 12 : end]))
        < 0.4 * (kept + sum(lost for _, lost in steps[end - 12 : end]))
    )

    assert session.fold.next_ordinal == stop
    found = saturation_of(session.fold)
    assert found is not None
    assert (found.recent.first, found.recent.last) == (stop - 11, stop)
    assert [(one.accepted, one.offered) for one in found.curve] == [
        (
            sum(kept for kept, _ in steps[one.first - 1 : one.last]),
            sum(map(sum, steps[one.first - 1 : one.last])),
        )
        for one in found.curve
    ]
    assert [one.last for one in found.curve][-1] == stop


@pytest.mark.parametrize("clumsy", [False, True])
def test_with_a_lower_bound_it_goes_on_as_if_that_had_been_so_from_the_first(
    *, clumsy: bool
) -> None:
    expected = _Session(0.1, clumsy=clumsy)
    expected.to_the_end(1)
    session = _Session(0.4, clumsy=clumsy)
    session.to_the_end(64)
    before, journal = session.tasks(), session.journal
    session = _Session(0.1, clumsy=clumsy)
    session.resume(journal)
    session.to_the_end(7)

    assert session.result() == expected.result()
    assert len(session.tasks()) > len(before)
    assert session.tasks()[: len(before)] == before


def test_the_bound_that_is_named_takes_it_further() -> None:
    session = _Session(0.4)
    session.to_the_end(9)
    found = saturation_of(session.fold)
    assert found is not None
    again = _Session(found.lower)
    again.resume(session.journal)

    assert 0 < found.lower < 0.4
    assert saturation_of(again.fold) is None
    assert again.agenda.next_request() is not None


def test_a_model_that_has_nothing_to_say_dries_up_after_one_window() -> None:
    session = _Session(0.02)
    while (found := saturation_of(session.fold)) is None:
        request = session.agenda.next_request()
        assert request is not None
        session.commit(Answer(request, Completion(text="no", finish_reason="stop")))

    assert (found.recent.accepted, found.recent.offered, found.recent.last) == (0, 12, 12)
    assert found.lower == 0
    with pytest.raises(RunPausedError, match="0 of the last 12 candidates, in 12 answers") as told:
        session.agenda.next_request()
    assert told.value.go_on_with == ("--saturation-bound", "0")


def test_a_bound_of_nought_is_never_passed() -> None:
    made = Yield(window=3, bound=0.0)
    for _ in range(10):
        made.add(5, 0)
        assert not made.dry


def test_the_bound_itself_is_enough_and_the_window_must_be_full() -> None:
    made = Yield(window=2, bound=0.25)
    dry = []
    for offered, accepted in [(9, 0), (3, 3), (5, 0), (7, 3), (0, 0), (3, 0)]:
        made.add(offered, accepted)
        dry.append((made.recent().share, made.dry))

    # An answer without a candidate counts as one: 3 of 8, then 3 of 8.
    shares = [0, 3 / 12, 3 / 8, 3 / 12, 3 / 8, 0]
    assert dry == list(zip(shares, [False] * 5 + [True], strict=True))
