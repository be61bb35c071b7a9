"""Files of responses are read in both formats, and what is wrong with a row is named."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from rate.material import MODELS, row, write_rows, write_study
from seeds.material import PAPER

from asyncgen.errors import CorpusError
from asyncgen.rate.responses import read_responses

if TYPE_CHECKING:
    from pathlib import Path

RELEASED = PAPER / "predictions"


def test_every_task_and_model_is_there_once(tmp_path: Path) -> None:
    study = read_responses(write_study(tmp_path, 5))

    assert [task.id for task in study.tasks] == [f"task_{number}" for number in range(5)]
    assert study.models == MODELS
    assert len(study.responses) == 10
    assert study.tasks[1].application == "App 1"


def test_the_originals_predictions_are_named_after_their_file(tmp_path: Path) -> None:
    given = {"prompt": "p", "instruction": "Say x.\n", "input": "", "target": "x", "response": " x"}
    paths = [
        write_rows(tmp_path / f"{name}_predictions.jsonl", [given, given | {"input": "again"}])
        for name in ("davinci", "tuned")
    ]
    study = read_responses(paths)

    assert study.models == ("davinci", "tuned")
    assert [(one.instruction, one.input, one.reference) for one in study.tasks] == [
        ("Say x.", "", "x"),
        ("Say x.", "again", "x"),
    ]
    assert study.responses[0].text == " x"
    assert len({one.task for one in study.responses}) == 2


def test_the_released_predictions_pair_up() -> None:
    if not RELEASED.is_dir():
        pytest.skip("the released predictions are not here")
    study = read_responses(sorted(RELEASED.glob("*.jsonl")))

    assert len(study.tasks) == 252
    assert study.models == ("davinci-self-instruct", "davinci")
    assert len(study.responses) == 504


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ({"instruction": "x"}, "no field 'id'; it has: instruction"),
        ({"instruction": "x", "target": "y"}, "no field 'input'; it has: instruction, target"),
        (row(1, "m", response=None), "the field 'response' is not a string"),
        (row(1, "  "), "the field 'model' is empty"),
        (row(0, "m"), "a second response of 'm' to task 'task_0'"),
        (row(0, "n", reference="other"), "task 'task_0' differs from an earlier row of that id"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, second: object, problem: str
) -> None:
    path = write_rows(tmp_path / "some.jsonl", [row(0, "m")])
    with path.open("a", encoding="utf-8") as stream:
        stream.write("\n" + (second if isinstance(second, str) else json.dumps(second)) + "\n")

    with pytest.raises(CorpusError, match=f"{re.escape(str(path))}:3: {re.escape(problem)}"):
        read_responses([path])


def test_files_without_a_row_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no responses to rate"):
        read_responses([write_rows(tmp_path / "empty.jsonl", [])])
