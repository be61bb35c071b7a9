"""Whole runs in Chinese, against a real server: what is kept, what is not, and how surely."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cli.material import json_lines
from languages.chinese_model import reply
from languages.material import score_of, seeds_in, tokens_of
from support.command import asyncgen
from support.server import ModelServer

from asyncgen.cli.app import run as command

if TYPE_CHECKING:
    from pathlib import Path

TARGET = 30
LANGUAGE = ("--language", "chinese", "--require-language", "zh")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seeds") / "zh.jsonl"
    rows = [
        {
            "id": f"seed_{number}",
            "name": f"seed {number}",
            "instruction": text,
            "instances": [{"input": "", "output": "好。"}],
            "is_classification": False,
        }
        for number, text in enumerate(seeds_in("zh"))
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path


def _generated(run: Path, seeds: Path, *more: str) -> list[dict[str, Any]]:
    """Make a run, and return the bodies of its requests."""
    with ModelServer(reply) as server:
        options = ("--endpoint", server.url, "--model", "test-model", "--target", str(TARGET))
        done = asyncgen("generate", run, *options, "--seeds", seeds, *more)
        assert done.returncode == 0, done.stderr
        return server.bodies


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, seeds: Path) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "zh"
    _generated(folder, seeds, *LANGUAGE, "--max-in-flight", "64")
    return folder


def _rows(run: Path, name: str) -> list[dict[str, Any]]:
    return json_lines((run / f"{name}.jsonl").read_bytes())


def test_a_run_in_chinese_keeps_what_is_new_and_drops_near_duplicates_and_english(
    run: Path,
) -> None:
    tasks, rejected = _rows(run, "dataset"), _rows(run, "rejected")
    kept = seeds_in("zh") + [task["instruction"] for task in tasks]
    reasons = {row["reason"] for row in rejected if row["stage"] == "generation"}
    near = [row for row in rejected if row["text"].endswith("！")]

    assert len(tasks) == TARGET
    assert reasons == {"similar", "wrong_language"}
    assert {row["reason"] for row in near} == {"similar"}
    assert {row["detail"] for row in rejected if row["reason"] == "wrong_language"} == {"en"}
    assert all(task["instances"][0]["output"] for task in tasks)
    assert max(score_of(one, other) for one in kept for other in kept if one is not other) <= 0.7


def test_the_run_is_verified(run: Path) -> None:
    assert command(["verify", str(run)]) == 0


def test_the_dataset_is_the_same_one_request_at_a_time(
    run: Path, seeds: Path, tmp_path: Path
) -> None:
    _generated(tmp_path / "run", seeds, *LANGUAGE, "--max-in-flight", "1")

    for name in ("dataset.jsonl", "rejected.jsonl"):
        assert (tmp_path / "run" / name).read_bytes() == (run / name).read_bytes()


@pytest.mark.parametrize(
    ("flag", "value", "told", "reasons"),
    [
        # Without blanks a sentence is one word to the rules for English.
        ("--tokenizer", "rouge", "'unicode' → 'rouge'", {"too_short", "wrong_language"}),
        ("--require-language", "English", "'zh' → 'en'", {"similar", "wrong_language"}),
    ],
)
def test_another_tokenizer_or_language_follows_from_the_same_answers(
    flag: str, value: str, told: str, reasons: set[str], run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "refiltered"
    done = asyncgen("refilter", run, flag, value, "--out", out)
    rejected = _rows(out, "rejected")

    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    assert _rows(out, "dataset") == []
    assert {row["reason"] for row in rejected if row["stage"] == "generation"} == reasons


def test_the_card_of_an_export_names_the_language(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "tasks"

    assert command(["export", str(run), "--format", "hf", "--out", str(out)]) == 0
    card = (out / "README.md").read_text("utf-8")
    assert 'language:\n- "zh"\n' in card
    assert "other scripts" not in card


def test_a_report_measures_the_run_as_it_was_filtered(run: Path, tmp_path: Path) -> None:
    done = asyncgen("report", run, "--out", tmp_path / "report.html", "--json")
    texts = [task["instruction"] for task in _rows(run, "dataset")]

    assert done.returncode == 0, done.stderr
    (measures,) = json.loads(done.stdout)["runs"]
    assert measures["verbs"] is None  # the parser knows English alone
    assert measures["words"]["instruction"]["highest"] == max(len(tokens_of(one)) for one in texts)
    assert measures["rouge_l"]["seed"]["highest"] == pytest.approx(
        max(score_of(one, seed) for one in texts for seed in seeds_in("zh"))
    )


def test_without_the_detector_a_required_language_is_refused_before_anything_is_asked(
    seeds: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken" / "py3langid"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('not installed')\n", "utf-8")
    with ModelServer(reply) as server:
        options = ("--endpoint", server.url, "--model", "test-model", "--seeds", seeds)
        done = asyncgen(
            "generate", tmp_path / "run", *options, *LANGUAGE, PYTHONPATH=str(broken.parent)
        )
        assert server.bodies == []

    assert done.returncode == 2
    assert done.stderr == (
        "asyncgen: error: --require-language needs an optional dependency: "
        "pip install 'asyncgen[language]'\n"
    )
