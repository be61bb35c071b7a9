"""How the default profile reads: recorded answers of the embedded model, every form we know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asyncgen.pipeline.profiles import profile_of
from asyncgen.pipeline.profiles.values import Numbering
from asyncgen.records import Completion, FinishReason
from asyncgen.settings import Settings

PROFILE = profile_of(Settings())
RECORDED: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "recorded_answers.jsonl").read_text("utf-8").splitlines()
]
LISTS = [row for row in RECORDED if row["stage"] == "generation"]
EXAMPLES = [row for row in RECORDED if row["stage"] == "instances"]


def _answer(text: str, finish_reason: FinishReason = "stop") -> Completion:
    return Completion(text=text, finish_reason=finish_reason)


def _items(text: str, *, continues: bool = False) -> list[str]:
    return _split(_answer(text), continues=continues)[0]


def _split(completion: Completion, *, continues: bool = False) -> tuple[list[str], int]:
    items = PROFILE.split(completion, Numbering(9, continues))
    return [PROFILE.normalise(text) for text in items.texts], items.lost


def _pairs(text: str, *, is_classification: bool = False) -> list[tuple[str, str]]:
    parsed = PROFILE.read_instances(_answer(text), is_classification)
    return [(instance.input, instance.output) for instance in parsed.instances]


@pytest.mark.parametrize("row", LISTS, ids=lambda row: row["text"][1:30])
def test_recorded_lists_are_split_as_a_reader_would(row: dict[str, Any]) -> None:
    completion = _answer(row["text"], row["finish_reason"])

    assert _split(completion, continues=True) == (row["items"], int(row["cut"]))


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row["text"][:30])
def test_recorded_examples_are_read_as_a_reader_would(row: dict[str, Any]) -> None:
    completion = _answer(row["text"], row["finish_reason"])
    parsed = PROFILE.read_instances(completion, row["is_classification"])

    assert [[one.input, one.output] for one in parsed.instances] == row["instances"]
    assert parsed.last_is_cut == row["cut"]


@pytest.mark.parametrize(
    "text",
    [
        "9. Name a river.\n10. Name a lake.",
        "9) Name a river.\n10) Name a lake.",
        "**9.** Name a river.\n**10.** Name a lake.",
        "**9. Name a river.**\n**10. Name a lake.**",
        "9. **Name a river.**\n10. **Name** a lake.",
        "Task 9: Name a river.\nTask 10: Name a lake.",
        "Here are more tasks:\n\n9. Name a river.\n\n10. Name a lake.\n",
        "1. Name a river.\n2. Name a lake.",
        "9. 14. Name a river.\n10. 15. Name a lake.",
        "9. Name a\n   river.\n10. Name a lake.",
        "9. Name a river.\n12. Name a lake.",
    ],
)
def test_lists_are_recognised_in_the_forms_that_models_write(text: str) -> None:
    assert _items(text) == ["Name a river.", "Name a lake."]


def test_a_list_inside_an_item_stays_in_it() -> None:
    text = "9. Rank these:\n1. apples\n2. pears\n10. Name a lake in 2016."

    assert _items(text) == ["Rank these:\n1. apples\n2. pears", "Name a lake in 2016."]


def test_an_answer_that_continues_the_prompt_needs_no_first_number() -> None:
    assert _items(" Name a river.\n10. Name a lake.", continues=True) == [
        "Name a river.",
        "Name a lake.",
    ]


def test_an_answer_without_a_list_has_no_items() -> None:
    assert _items("I would rather not.") == []
    assert _items("") == []


def test_a_cut_answer_says_so() -> None:
    cut = _answer("9. Name a river.\n10. Name a la", "length")

    assert _split(cut) == (["Name a river.", "Name a la"], 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" yes", True),
        ("Yes.", True),
        ("**No**", False),
        ("The answer is: no, it is open-ended.", False),
        ("No doubt it is one.", False),
        ("The answer would be no.\nYes tasks have labels.", False),
        ("Answer yes or no: yes", True),
        ("Based on its labels, this task is a classification task.", True),
        ("This isn\u2019t a classification problem.", False),
        ("A classification task is one with labels.", None),
        ("I know nothing.", None),
        ("There is no label set given", None),
        ("", None),
    ],
)
def test_yes_and_no_are_understood_in_a_sentence(
    text: str,
    expected: bool | None,  # noqa: FBT001 - a row of the table
) -> None:
    assert PROFILE.read_decision(_answer(text), 0.0) is expected


def test_likelihoods_decide_over_the_text_and_a_bias_shifts_them() -> None:
    leaning = Completion(
        text=" no", finish_reason="stop", choice_logprobs={" yes": -1.2, " no": -0.3}
    )

    assert PROFILE.read_decision(leaning, 0.0) is False
    assert PROFILE.read_decision(leaning, 1.0) is True


def test_a_failed_request_decides_nothing() -> None:
    assert PROFILE.read_decision(_answer("yes, the filter says", "content_filter"), 0.0) is None


@pytest.mark.parametrize(
    "text",
    [
        "Input: a b\nOutput: c",
        "**Input:** a b\n**Output:** c",
        "Example 1\nInput: a b\nOutput: c",
        "Example 1:\nInput 1: a b\nOutput 1: c",
        "input: a b\noutput:\nc\n",
        "Input: a b\nOutput: c\n\nTask: Something else\nInput: d\nOutput: e",
    ],
)
def test_an_example_is_recognised_in_the_forms_that_models_write(text: str) -> None:
    assert _pairs(text) == [("a b", "c")]


@pytest.mark.parametrize("nothing", ["none", "None.", "N/A", "(none)", "<noinput>", "-"])
def test_no_input_is_an_empty_input(nothing: str) -> None:
    assert _pairs(f"Input: {nothing}\nOutput: c") == [("", "c")]
    assert _pairs(f"Label: c\nInput: {nothing}", is_classification=True) == [("", "c")]


def test_a_task_without_input_may_be_answered_at_once() -> None:
    assert _pairs("Output: c") == [("", "c")]
    assert _pairs("The river is long.") == [("", "The river is long.")]
    assert _pairs("The river is long.", is_classification=True) == []


def test_several_examples_keep_their_order_and_their_lines() -> None:
    text = "Input: a\nb: 2\nOutput: c\nd\nInput: e\nOutput: f"

    assert _pairs(text) == [("a\nb: 2", "c\nd"), ("e", "f")]


def test_labels_come_before_their_inputs() -> None:
    text = "Label: good\nInput: I like it.\nLabel: bad\nInput: I do not.\nLabel: mixed"

    assert _pairs(text, is_classification=True) == [
        ("I like it.", "good"),
        ("I do not.", "bad"),
        ("", "mixed"),
    ]


def test_a_field_name_inside_a_line_is_text() -> None:
    assert _pairs("Input: print('Output: 3')\nOutput: It prints Output: 3") == [
        ("print('Output: 3')", "It prints Output: 3")
    ]
