"""``--exclude``: nothing above the threshold to these texts enters, whatever they lie in."""

from __future__ import annotations

import csv
import gzip
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from cli.material import json_lines
from cli.runs import TARGET, arguments, generated
from rapidfuzz.distance import LCSseq
from support.server import ModelServer

from asyncgen.cli.app import run as command
from asyncgen_kernels import tokenize

if TYPE_CHECKING:
    from pathlib import Path


def _rouge_l(one: str, other: str) -> float:
    left, right = tokenize(one), tokenize(other)
    return 2 * LCSseq.similarity(left, right) / (len(left) + len(right))


def _tasks(run: Path) -> list[dict[str, Any]]:
    return json_lines((run / "dataset.jsonl").read_bytes())


def _rejected(run: Path) -> list[dict[str, Any]]:
    return json_lines((run / "rejected.jsonl").read_bytes())


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what the model writes, so that it can be kept from entering."""
    run = generated(tmp_path_factory.mktemp("before") / "run")
    return [task["instruction"] for task in _tasks(run)]


def _as_lines(path: Path, texts: list[str]) -> Path:
    path.write_bytes(gzip.compress("".join(f"{text}\n" for text in texts).encode()))
    return path


def _as_json(path: Path, texts: list[str]) -> Path:
    path.write_text(json.dumps([{"text": text, "label": 1} for text in texts]), "utf-8")
    return path


def _as_csv(path: Path, texts: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerows([("id", "instruction"), *enumerate(texts)])
    return path


def test_nothing_that_resembles_an_excluded_text_is_kept_and_the_nearest_can_be_found(
    texts: list[str], tmp_path: Path
) -> None:
    parts = [texts[:8], texts[8:16], texts[16:]]
    files = [
        _as_lines(tmp_path / "benchmark.txt.gz", parts[0]),
        _as_json(tmp_path / "benchmark.json", parts[1]),
        _as_csv(tmp_path / "corpus.csv", parts[2]),
    ]
    run = generated(tmp_path / "run", *(part for file in files for part in ("--exclude", file)))
    rejected = [one for one in _rejected(run) if one["reason"] == "excluded"]

    assert len(_tasks(run)) == TARGET
    assert all(_rouge_l(task["instruction"], text) <= 0.7 for task in _tasks(run) for text in texts)
    assert len(rejected) >= 3
    for one in rejected:
        _, file, row = one["nearest"]["id"].split("_")
        # A CSV file's first line is its header; lines and elements count from 1.
        found = parts[int(file) - 1][int(row) - (2 if file == "3" else 1)]
        assert found.startswith(one["detail"].rstrip("…"))
        assert one["nearest"]["score"] == pytest.approx(_rouge_l(one["text"], found))
        assert one["nearest"]["score"] > 0.7
    assert {one["nearest"]["id"].split("_")[1] for one in rejected} == {"1", "2", "3"}


def test_the_most_similar_of_a_task_is_a_seed_or_a_task(texts: list[str], tmp_path: Path) -> None:
    # Half of each text: near, but not too near.
    halves = [" ".join(text.split()[:4]) for text in texts]
    run = generated(tmp_path / "run", "--exclude", _as_lines(tmp_path / "halves.txt", halves))

    for task in _tasks(run):
        nearest = task["most_similar"]
        assert nearest["id"].startswith(("seed_", "task_"))
        assert nearest["score"] <= 0.7


def test_a_run_goes_on_with_what_it_excluded_and_refuses_anything_else(
    texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _as_csv(tmp_path / "benchmark.csv", texts[:5])
    run = generated(tmp_path / "run", "--exclude", file)
    before = (run / "dataset.jsonl").read_bytes()
    content, moved = file.read_bytes(), tmp_path / "moved.csv"
    with ModelServer() as server:
        assert command(["generate", str(run)]) == 0
        file.rename(moved)
        again = arguments(server, run, "--exclude", moved)
        assert command([str(one) for one in again]) == 0
        assert server.bodies == []
    assert command(["verify", str(run)]) == 0
    assert (run / "dataset.jsonl").read_bytes() == before

    def refused(*given: str | Path) -> str:
        capsys.readouterr()
        assert command([str(one) for one in given]) == 2
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        return line

    moved.write_bytes(content + b"6,Name a river.\n")
    assert f"{moved} (sha256 " in refused("generate", run)
    assert f"{moved}: has changed since the run began" in refused("verify", run)
    moved.unlink()
    assert f"{moved}: cannot be read (No such file or directory)" in refused("generate", run)
    assert f"{moved}: cannot be read (No such file or directory)" in refused("status", run)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b'{"id": 1, "question": "why?"}\n',
            "benchmark:1: no field 'instruction'; it has: id, question; name one as FILE:FIELD",
        ),
        (b"[1, 2]", "benchmark: element 1: not an object"),
        (b"\xff\xfea\0", "is in UTF-16"),
        (gzip.compress(b"text", mtime=0)[:-4], "ends too early"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_what_cannot_be_read_is_one_line_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "benchmark").write_bytes(content)
    line = _refused_to_begin(tmp_path / "run", tmp_path / "benchmark", capsys)

    assert said in line


@pytest.mark.parametrize(
    ("name", "content", "field", "said"),
    [
        (
            "a.jsonl",
            b'{"Definition": ["Do."]}',
            "Definition",
            "name its first element 'Definition.0'",
        ),
        (
            "a.jsonl",
            b'{"instruction": "a"}',
            "question",
            "no field 'question'; it has: instruction",
        ),
        ("a.csv", b"prompt,label\na,b\n", "question", "no field 'question'; it has: prompt, label"),
        ("a", b"prompt,label\na,b\n", "question", "holds lines of text, which have no field"),
        ("a.jsonl", None, "question", "a.jsonl:question: cannot be read (No such file"),
    ],
)
def test_a_field_that_is_not_there_is_one_line_before_anything_is_made(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes | None,
    field: str,
    said: str,
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    assert said in _refused_to_begin(tmp_path / "run", tmp_path / f"{name}:{field}", capsys)


def test_each_file_may_have_its_field_and_the_run_goes_on_with_that_alone(
    texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"instruction": f"Row {n}.", "Definition": [text]} for n, text in enumerate(texts)]
    definitions, questions = tmp_path / "superni.jsonl", tmp_path / "b:c.csv"
    definitions.write_text("".join(json.dumps(row) + "\n" for row in rows[:12]), "utf-8")
    with questions.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("text", "question"), *(("-", one) for one in texts[12:])])
    named = ("--exclude", f"{definitions}:Definition.0", "--exclude", f"{questions}:question")
    run = generated(tmp_path / "run", *named)

    assert all(_rouge_l(task["instruction"], text) <= 0.7 for task in _tasks(run) for text in texts)
    nearest = {one["nearest"]["id"][:9] for one in _rejected(run) if one["reason"] == "excluded"}
    assert nearest == {"exclude_1", "exclude_2"}
    assert command(["verify", str(run)]) == 0
    with ModelServer() as server:
        assert command(["generate", str(run)]) == 0
        others = ("--exclude", definitions, "--exclude", f"{questions}:question")
        capsys.readouterr()
        assert command([str(one) for one in arguments(server, run, *others)]) == 2
        assert server.bodies == []
    said = capsys.readouterr().err
    assert f"{definitions}:Definition.0 (sha256 " in said
    assert f"→ {definitions} (sha256 " in said


def test_a_hash_that_is_missing_is_refused(
    texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = generated(tmp_path / "run", "--exclude", _as_csv(tmp_path / "benchmark.csv", texts[:5]))
    settings = run / "settings.toml"
    lines = settings.read_text("utf-8").splitlines(keepends=True)
    start = next(n for n, line in enumerate(lines) if line.startswith("exclude_sha256"))
    end = next(n for n in range(start, len(lines)) if lines[n].strip().endswith("]"))
    settings.write_text("".join(lines[:start] + lines[end + 1 :]), "utf-8")
    for given in (["verify"], ["status"], ["refilter", "--out", str(tmp_path / "new")]):
        capsys.readouterr()
        assert command([given[0], str(run), *given[1:]]) == 2
        line = capsys.readouterr().err
        assert "exclude names 1 files, but exclude_sha256 holds 0: restore the run's" in line
        assert line.count("\n") == 1


def test_what_is_no_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Is a directory" in _refused_to_begin(tmp_path / "run", tmp_path, capsys)
    for path in (tmp_path / "-", tmp_path / "pipe"):
        os.mkfifo(path)
        assert "must be a file" in _refused_to_begin(tmp_path / "run", path, capsys)


def _refused_to_begin(run: Path, excluded: Path, capsys: pytest.CaptureFixture[str]) -> str:
    code = command(
        [
            *("generate", str(run), "--endpoint", "http://127.0.0.1:9/v1"),
            *("--model", "m", "--exclude", str(excluded)),
        ]
    )
    line = capsys.readouterr().err

    assert code == 2
    assert line.count("\n") == 1
    assert not run.exists()
    return line
