"""Given predictions are scored side by side, and the paper's two models are told apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from evaluate.material import PREDICTIONS
from seeds.material import needs_paper

from asyncgen.cli.app import run
from asyncgen.evaluate.job import score_files

if TYPE_CHECKING:
    from pathlib import Path


def _written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def _row(number: int, said: str, **more: Any) -> dict[str, Any]:
    return {"id": f"q{number}", "prediction": said, "references": ["the right answer"], **more}


@needs_paper
def test_self_instruct_gpt_3_is_told_from_vanilla_gpt_3() -> None:
    """Both ran on without a stop; the gap is known from rouge_score's own scores."""
    found = score_files(PREDICTIONS)
    (difference,) = found.differences[0]
    test = difference.test

    assert [one.overall.rows for one in found.models] == [252, 252]
    assert found.models[0].overall.rouge_l == pytest.approx(0.0283, abs=5e-4)
    assert found.models[1].overall.rouge_l == pytest.approx(0.2814, abs=5e-4)
    assert test.difference == pytest.approx(
        found.models[1].overall.rouge_l - found.models[0].overall.rouge_l
    )
    assert test.interval.low > 0.2
    assert test.p_value < 0.001


def test_models_are_paired_by_id_whatever_the_order(tmp_path: Path) -> None:
    rows = [_row(number, "the right answer" if number % 2 else "no") for number in range(20)]
    one = _written(tmp_path / "one.jsonl", *rows)
    other = _written(tmp_path / "other.jsonl", *reversed(rows))

    found = score_files([one, other])

    assert found.differences[0][0].test.difference == 0
    assert found.differences[0][0].test.p_value == 1.0


def test_references_can_come_by_id_and_what_is_missing_counts_as_empty(tmp_path: Path) -> None:
    references = _written(
        tmp_path / "references.jsonl",
        {"id": "a", "references": ["yes"], "task_id": "t1", "task_category": "word_analogy"},
        {"id": "b", "references": ["no", "never"], "task_id": "t1"},
    )
    said = _written(tmp_path / "said.jsonl", {"id": "a", "prediction": "Yes."})

    (scores,) = score_files([said], references).models

    assert (scores.overall.rows, scores.overall.exact_match) == (2, 0.5)
    assert [one.name for one in scores.groups] == ["", "word_analogy", "t1"]
    assert scores.groups[1].metric == "exact_match"


def test_tables_and_figures_show_models_side_by_side(tmp_path: Path) -> None:
    bad = _written(tmp_path / "bad.jsonl", *(_row(number, "no") for number in range(30)))
    good = _written(
        tmp_path / "good|better.jsonl", *(_row(number, "right answer") for number in range(30))
    )
    out = tmp_path / "out"

    score_files([bad, good], out=out)

    table = (out / "scores.md").read_text("utf-8")
    assert "| bad | good\\|better | good\\|better minus bad |" in table
    assert "| 0.0 [0.0, 0.0] | 80.0 [80.0, 80.0] | +80.0 [+80.0, +80.0], p = 0.0001 |" in table
    assert (out / "scores.svg").read_text("utf-8").count("<circle") == 4
    values = (out / "scores.csv").read_text("utf-8").splitlines()
    assert values[2].startswith("good|better,all,,30,rouge_l,0.8")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "holds no prediction"),
        ([{"id": "q1", "prediction": "x"}], "no text under 'references'"),
        ([{"id": "q1", "references": ["x"]}], "no text under 'prediction'"),
        ([_row(1, "x"), _row(1, "y")], "id 'q1' is there twice"),
        ([_row(1, "x", references=[])], "no text under 'references'"),
        ([_row(1, "x", references=[7])], "no text under 'references'"),
    ],
)
def test_a_file_that_cannot_be_scored_is_named_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[dict[str, Any]], problem: str
) -> None:
    path = _written(tmp_path / "said.jsonl", *rows)

    assert run(["evaluate", "score", str(path)]) == 2
    said = capsys.readouterr().err
    assert str(path) in said
    assert problem in said
    assert said.count("\n") == 1


def test_models_of_other_questions_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = _written(tmp_path / "one.jsonl", _row(1, "x"), _row(2, "x"))
    fewer = _written(tmp_path / "fewer.jsonl", _row(1, "x"))
    other = _written(tmp_path / "other.jsonl", _row(1, "x"), _row(2, "x", references=["else"]))

    for second, problem in ((fewer, "not in the second"), (other, "another reference")):
        assert run(["evaluate", "score", str(one), str(second)]) == 2
        assert problem in capsys.readouterr().err
