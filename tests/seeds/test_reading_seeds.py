"""A seed file that cannot be used is told by file, line and problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from seeds.material import PAPER, needs_paper

from asyncgen.errors import SeedError
from asyncgen.pipeline.seeds import digest, read_seed_tasks
from asyncgen.records import Instance, SeedTask

if TYPE_CHECKING:
    from pathlib import Path


def row(number: int, **fields: Any) -> bytes:
    task = {
        "id": f"seed_{number}",
        "name": f"name_{number}",
        "instruction": f"Do thing number {number}.",
        "instances": [{"input": "", "output": "done"}],
        "is_classification": False,
        **fields,
    }
    return orjson.dumps({name: value for name, value in task.items() if value is not ...})


def refusal(path: Path, *lines: bytes, at_least: int = 1) -> SeedError:
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(SeedError) as caught:
        read_seed_tasks(path, at_least=at_least)
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "seeds.jsonl"


def test_tasks_are_read_in_the_schema_of_the_original(path: Path) -> None:
    instance = {"input": "in", "output": "out"}
    path.write_bytes(row(0, instances=[instance, instance], is_classification=True) + b"\n")

    assert read_seed_tasks(path, at_least=1) == [
        SeedTask(
            id="seed_0",
            name="name_0",
            instruction="Do thing number 0.",
            instances=(Instance("in", "out"), Instance("in", "out")),
            is_classification=True,
        )
    ]


def test_blank_lines_unknown_fields_and_windows_line_ends_do_no_harm(path: Path) -> None:
    path.write_bytes(b"\r\n" + row(0, motivation_app="Grammarly") + b"\r\n\r\n" + row(1) + b"\r\n")

    assert [task.id for task in read_seed_tasks(path, at_least=2)] == ["seed_0", "seed_1"]


def test_a_line_separator_within_a_text_does_not_end_a_line(path: Path) -> None:
    path.write_text(row(0).decode().replace("thing", "a\u2028b\u0085c"), "utf-8")

    assert "a\u2028b\u0085c" in read_seed_tasks(path, at_least=1)[0].instruction


@needs_paper
def test_the_file_of_the_original_works_as_it_is() -> None:
    assert len(read_seed_tasks(PAPER / "seed_tasks.jsonl", at_least=8)) == 175


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{'id': 1}", "not JSON"),
        (b'{"id": "x", ', "not JSON"),
        (b"seed, instruction", "not JSON"),
        (b'{"id": "\xff"}', "not JSON: str is not valid UTF-8"),
        (b"[1, 2]", "xpected `object`"),
        (row(1, instruction=...), "missing required field `instruction`"),
        (row(1, id=...), "missing required field `id`"),
        (row(1, instances=...), "missing required field `instances`"),
        (row(1, is_classification=...), "missing required field `is_classification`"),
        (row(1, instances=[{"input": ""}]), "missing required field `output`"),
        (row(1, instruction=5), "xpected `str`, got `int` - at `$.instruction`"),
        (row(1, is_classification="no"), "xpected `bool`, got `str`"),
        (row(1, instances={}), "xpected `array`, got `object`"),
        (row(1, instances=[]), "no instance"),
        (row(1, instruction=" \t"), "the instruction is empty"),
        (row(0, instruction="Another."), "'seed_0' stands on line 1 already"),
        (row(1, instruction="Do thing number 0."), "stands on line 1 already"),
    ],
)
def test_a_bad_line_is_told_by_file_number_and_problem(
    path: Path, line: bytes, problem: str
) -> None:
    error = refusal(path, row(0), b"", line, row(2))

    assert (error.path, error.line) == (path, 3)
    assert str(error).startswith(f"{path}:3: ")
    assert problem in error.problem


@pytest.mark.parametrize("lines", [(), (b"", b"  "), (row(0), row(1))])
def test_too_few_tasks_are_told_with_what_a_prompt_needs(
    path: Path, lines: tuple[bytes, ...]
) -> None:
    error = refusal(path, *lines, at_least=8)

    number = len([line for line in lines if line.strip()])
    assert str(error) == (
        f"{path}: {number} seed tasks, but a prompt shows 8: add tasks, or lower 'demonstrations'"
    )


def test_a_byte_order_mark_is_passed_over(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + row(0))

    assert [task.id for task in read_seed_tasks(path, at_least=1)] == ["seed_0"]


def read_one(path: Path) -> None:
    read_seed_tasks(path, at_least=1)


@pytest.mark.parametrize("read", [read_one, digest])
@pytest.mark.parametrize(
    ("name", "problem"),
    [("missing.jsonl", "No such file or directory"), (".", "Is a directory")],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, problem: str, read: Any) -> None:
    with pytest.raises(SeedError) as caught:
        read(tmp_path / name)

    assert str(caught.value) == f"{tmp_path / name}: cannot be read ({problem})"


def test_the_digest_is_that_of_the_bytes(path: Path) -> None:
    path.write_bytes(b"abc")

    assert digest(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
