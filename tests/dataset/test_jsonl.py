"""JSON lines appear whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from asyncgen.dataset import json_line, write_json_lines
from asyncgen.errors import RunFolderError
from asyncgen.records import Instance, Neighbour, Provenance, Rejection, Task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TASK = Task(
    id="task_3_1",
    instruction="Name the river\u2028in “Köln” \U0001f30a.",
    is_classification=False,
    instances=(Instance("", 'The "Rhine"\nof course.'),),
    most_similar=Neighbour("seed_7", 0.25),
    provenance=Provenance(
        ordinal=3, position=1, demonstrations=("seed_1", "task_0_0"), model="m", endpoint="e"
    ),
)


def test_a_task_is_one_line_with_its_fields_in_their_order() -> None:
    line = json_line(TASK)

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert list(orjson.loads(line)) == [
        "id",
        "instruction",
        "is_classification",
        "instances",
        "most_similar",
        "provenance",
    ]
    assert orjson.loads(line) == {
        "id": "task_3_1",
        "instruction": "Name the river\u2028in “Köln” \U0001f30a.",
        "is_classification": False,
        "instances": [{"input": "", "output": 'The "Rhine"\nof course.'}],
        "most_similar": {"id": "seed_7", "score": 0.25},
        "provenance": {
            "ordinal": 3,
            "position": 1,
            "demonstrations": ["seed_1", "task_0_0"],
            "model": "m",
            "endpoint": "e",
        },
    }


def test_text_is_written_as_it_is_and_not_escaped() -> None:
    assert "“Köln” \U0001f30a".encode() in json_line(TASK)


def test_a_rejection_is_one_line_too() -> None:
    rejection = Rejection(stage="generation", reason="similar", text="a\nb", ordinal=1, position=0)

    assert orjson.loads(json_line(rejection))["text"] == "a\nb"


def test_values_become_lines_and_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "dataset.jsonl"

    assert write_json_lines(path, [TASK] * 3) == 3
    assert path.read_bytes() == json_line(TASK) * 3
    assert write_json_lines(path, []) == 0
    assert path.read_bytes() == b""
    assert [entry.name for entry in tmp_path.iterdir()] == ["dataset.jsonl"]


def test_a_failure_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "dataset.jsonl"
    write_json_lines(path, [TASK])

    def values() -> Iterator[Task]:
        yield TASK
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        write_json_lines(path, values())

    assert path.read_bytes() == json_line(TASK)
    assert [entry.name for entry in tmp_path.iterdir()] == ["dataset.jsonl"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("missing/dataset.jsonl", "No such file or directory"),
        ("file/dataset.jsonl", "Not a directory"),
        ("folder", "Is a directory"),
    ],
)
def test_a_place_that_cannot_be_written_is_one_clear_error(
    tmp_path: Path, name: str, problem: str
) -> None:
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RunFolderError) as caught:
        write_json_lines(tmp_path / name, [TASK])

    assert str(caught.value) == f"{tmp_path / name}: cannot be written ({problem})"
    assert (tmp_path / "file").read_text() == "precious"
    assert {entry.name for entry in tmp_path.iterdir()} == {"file", "folder"}
