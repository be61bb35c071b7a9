"""The judge: what it is asked, how it is understood, and what follows for a run."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.session import Session
from support.simulation import answered

from asyncgen.errors import AsyncgenError
from asyncgen.pipeline.judging import judge_prompt, judgement, read_verdicts
from asyncgen.records import Answer, Completion, Instance, Judgement
from asyncgen.settings import resolve

if TYPE_CHECKING:
    from asyncgen.records import Request
    from asyncgen.settings import Settings

REAL = [
    json.loads(line)
    for line in (Path(__file__).parent / "judge_answers.jsonl").read_text("utf-8").splitlines()
]
"""Answers of the embedded model, read by hand: shown the examples, and, for what chat models
say besides, without them."""

SAID = {
    "**Question 1:** Yes\n**Question 2:** No\n**Question 3:** Yes": (True, False, True),
    "yes, yes, no": (True, True, False),
    "- Yes\n- Yes\n- No": (True, True, False),
    "Task: yes\nInput: no\nOutput: no": (True, False, False),
    '{"task": true, "input": true, "output": false}': (True, True, False),
    "1) Is the task valid? Yes.\n2) Is the input appropriate? No, no input is given.": (
        True,
        False,
        None,
    ),
    "### 2. Is the input appropriate?\n\nNo input is needed, so yes.": (None, True, None),
    "The task is valid, but the output is incorrect.": (True, None, False),
    "I cannot say.": (None, None, None),
    "": (None, None, None),
}


def run_settings(**changes: Any) -> Settings:
    given = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "judge": "self", "target": 30}
    return resolve({}, {**given, **changes})


def _said(text: str, finish_reason: Any = "stop") -> Completion:
    return Completion(text=text, finish_reason=finish_reason, model="j")


@pytest.mark.parametrize("row", REAL, ids=[row["text"][:30] for row in REAL])
def test_a_real_answer_is_read_as_a_person_reads_it(row: dict[str, Any]) -> None:
    completion = _said(row["text"], row["finish_reason"])

    assert list(read_verdicts(completion, begun=row["begun"])) == row["read"]


@pytest.mark.parametrize("text", SAID)
def test_other_ways_to_say_it_are_understood(text: str) -> None:
    assert read_verdicts(_said(text), begun=False) == SAID[text]


def test_what_a_content_filter_stopped_says_nothing() -> None:
    stopped = _said("1. yes\n2. yes\n3. yes", "content_filter")

    assert read_verdicts(stopped, begun=False) == (None, None, None)


@pytest.mark.parametrize("api", ["chat", "completions", "anthropic"])
def test_all_but_the_instance_is_the_same_for_every_request(api: Any) -> None:
    one = judge_prompt("Name a river.", Instance("", "The Po"), api)
    other = judge_prompt("Sum up.", Instance("A text.", "Short."), api, plainly=True)

    assert (one.fixed, one.turns) == (other.fixed, other.turns)
    assert "The Po" in one.variable
    assert "A text." in other.variable


def test_the_language_of_the_tasks_is_named() -> None:
    assert "German" in judge_prompt("x", Instance("", "y"), "chat", language="German").fixed


def test_the_score_is_the_share_of_yes_and_what_was_open_is_taken_from_the_second_answer() -> None:
    first, second = (True, None, None), (False, True, None)

    assert judgement(first, second, "j") == Judgement(
        valid=True, input=True, output=None, score=0.67, model="j"
    )
    assert judgement((True, True, True), None, "j").score == 1.0
    assert judgement((None, None, None), (None, None, None), "j").score == 0.0


@pytest.mark.parametrize("recipe", ["self-instruct", "alpaca", "evol"])
def test_the_dataset_is_the_first_tasks_that_passed_in_whatever_order_answers_come(
    recipe: str,
) -> None:
    settings = run_settings(min_score=0.67, look_ahead=4, recipe=recipe)
    results: list[bytes] = []
    for in_flight in (1, 12):
        session = Session(settings, answered)
        session.work(in_flight, random.Random(in_flight))
        results.append(session.result())
    tasks = session.tasks()
    scores = [one.judge.score for task in tasks for one in task.instances if one.judge]

    assert results[0] == results[1]
    assert len(tasks) == 30
    assert len(scores) == sum(len(task.instances) for task in tasks)
    assert min(scores) >= 0.67
    assert session.fold.reasons["judging"]["judged_low"] > 0


def test_without_a_least_score_all_stay_and_the_dataset_is_else_that_without_a_judge() -> None:
    judged, plain = (Session(run_settings(judge=judge), answered) for judge in ("self", None))
    for session in (judged, plain):
        session.work(8, random.Random(1))

    assert [
        (task.id, [(one.input, one.output) for one in task.instances]) for task in judged.tasks()
    ] == [(task.id, [(one.input, one.output) for one in task.instances]) for task in plain.tasks()]
    assert b'"judge":' not in plain.result()
    assert {one.judge.score for task in judged.tasks() for one in task.instances if one.judge} > {
        0.33
    }


def test_what_the_judge_leaves_open_is_asked_once_more_more_plainly_then_counts_as_no() -> None:
    def mumbling(request: Request) -> Completion:
        return _said("1. yes") if request.stage == "judging" else answered(request)

    session = Session(run_settings(target=3), mumbling)
    session.work(4, random.Random(1))
    asked = [one.request for one in session.journal if one.request.stage == "judging"]
    first = {one.key: one for one in asked if "#" not in one.key}
    again = {one.key.removesuffix("#2"): one for one in asked if "#" in one.key}

    assert again.keys() <= first.keys()
    assert all(first[key].prompt.variable != one.prompt.variable for key, one in again.items())
    assert {one.judge for task in session.tasks() for one in task.instances} == {
        Judgement(valid=True, input=None, output=None, score=0.33, model="j")
    }
    assert session.fold.counts.unsaid == session.fold.counts.scores.total() > 0


def test_an_instance_that_the_judge_cannot_be_asked_about_is_not_asked_about_again() -> None:
    def failing(request: Request) -> Completion:
        return _said("refused", "error") if request.stage == "judging" else answered(request)

    session = Session(run_settings(target=3, min_score=0.33, saturation_window=5), failing)
    with pytest.raises(AsyncgenError, match="ended with a valid instance"):
        session.work(1, random.Random(1))

    assert not [one for one in session.journal if "#" in one.request.key]
    assert session.fold.reasons["judging"].keys() == {"judged_low", "no_instance"}


def test_a_judge_that_nobody_asked_for_is_not_believed() -> None:
    session = Session(run_settings(), answered)
    session.work(4, random.Random(1))
    journal = list(session.journal)
    judged = next(one for one in journal if one.request.stage == "judging")

    with pytest.raises(AsyncgenError, match="never made"):
        session.commit(Answer(judged.request, judged.completion))
    plain = Session(run_settings(judge=None), answered)
    with pytest.raises(AsyncgenError, match="never made"):
        plain.resume(journal)
