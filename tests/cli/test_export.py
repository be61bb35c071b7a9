"""``asyncgen export`` of real runs: what it writes, what it refuses, what it leaves alone."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from cli.material import json_lines, names
from dataset.hub import TOKEN, LocalHub
from support.command import asyncgen, start
from support.scripts import answer
from support.server import ModelServer, Reply, prompt_of

from asyncgen.cli.app import run as run_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TARGET = 40

Export = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete run."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    arguments = ("--endpoint", "simulated", "--target", str(TARGET))
    done = asyncgen("generate", folder, *arguments)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def export(run: Path, capsys: pytest.CaptureFixture[str]) -> Export:
    """Return the command on that run, as a function to exit code, output and errors."""

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_command(["export", str(run), *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def instances(run: Path) -> int:
    tasks = json_lines((run / "dataset.jsonl").read_bytes())
    return sum(len(task["instances"]) for task in tasks)


def test_json_tells_rows_splits_families_and_files(
    export: Export, run: Path, tmp_path: Path
) -> None:
    code, said, errors = export(
        "--format", "alpaca", "--validation", "0.1", "--out", tmp_path / "a.jsonl", "--json"
    )
    summary = json.loads(said)
    files = {split: tmp_path / f"a.{split}.jsonl" for split in ("train", "validation")}
    rows = {split: len(path.read_bytes().splitlines()) for split, path in files.items()}

    assert (code, errors) == (0, "")
    assert summary.pop("families") > 2
    assert summary.pop("largest_family") >= 1
    assert summary == {
        "format": "alpaca",
        "rows": sum(rows.values()),
        "splits": rows,
        "tasks": TARGET,
        "seeds": 0,
        "duplicates": 0,
        "dropped": {},
        "files": [str(path) for path in files.values()],
        "pushed": None,
    }
    assert summary["rows"] == instances(run)
    assert names(tmp_path) == {path.name for path in files.values()}


def test_words_tell_what_share_came_out(export: Export, tmp_path: Path) -> None:
    _, out, said = export("--validation", "0.1", "--out", tmp_path / "tasks.jsonl")

    assert out == ""
    assert f"tasks.validation.jsonl: {TARGET} rows of {TARGET} tasks\n" in said
    assert "10.0% (10.0% wanted)" in said


def test_seeds_come_first_when_they_are_wanted(export: Export, tmp_path: Path) -> None:
    code, said, _ = export("--include-seeds", "--out", tmp_path / "all.jsonl", "--json")
    ids = [task["id"] for task in json_lines((tmp_path / "all.jsonl").read_bytes())]

    assert code == 0
    assert len(ids) == json.loads(said)["rows"] == 228 + TARGET
    assert all(name.startswith("seed") for name in ids[:228])


def test_it_reads_only(export: Export, run: Path, tmp_path: Path) -> None:
    before = contents(run)
    for form in ("jsonl", "openai", "prompt-completion", "parquet", "hf"):
        arguments = ("--format", form, "--include-seeds", "--validation", "0.1", "--shuffle")
        assert export(*arguments, "--out", tmp_path / f"{form}.jsonl")[0] == 0

    assert contents(run) == before


def test_a_second_export_is_the_same_bytes(export: Export, tmp_path: Path) -> None:
    arguments = ("--format", "hf", "--validation", "0.1", "--shuffle", "--out", tmp_path / "hf")
    assert export(*arguments)[0] == 0
    first = contents(tmp_path / "hf")
    assert export(*arguments)[0] == 0

    assert contents(tmp_path / "hf") == first
    assert names(tmp_path) == {"hf"}


def test_a_compressed_name_is_compressed(export: Export, tmp_path: Path) -> None:
    from asyncgen.corpus.source import Source

    export("--format", "chat", "--out", tmp_path / "chat.jsonl")
    export("--format", "chat", "--out", tmp_path / "chat.jsonl.zst")
    with Source(tmp_path / "chat.jsonl.zst") as source:
        assert b"".join(source.chunks()) == (tmp_path / "chat.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--format", "csv"], "'csv' is no format; there is: jsonl, alpaca, chat"),
        (["--format", "parquet"], "format parquet needs --out"),
        (["--format", "hf", "--out", "-"], "format hf needs --out"),
        (["--json"], "--json and the rows cannot both go to standard output; give --out"),
        (["--validation", "0.1"], "--validation makes two files: name them with --out"),
        (["--validation", "1", "--out", "x"], "--validation 1: must lie between 0 and 1"),
        (["--family-bound", "0"], "--family-bound 0: must lie in (0, 1]"),
        (["--format", "alpaca", "--system", "x"], "--system: format alpaca has no use for it"),
        (["--format", "chat", "--templates", "plain"], "--templates: format chat has no use"),
        (["--format", "chat", "--token-limit", "9"], "--token-limit: format chat has no use"),
        (["--format", "chat", "--push", "me/x"], "--push: format chat has no use for it"),
        (["--format", "hf", "--public", "--out", "x"], "--public says how to --push"),
        (["--format", "openai", "--out", "x.json"], "OpenAI takes files whose name ends in .jsonl"),
        (["--format", "openai", "--token-limit", "20"], "0 examples, and OpenAI trains on 10"),
        (["--out", "no/such/folder.jsonl"], "folder.jsonl: cannot be written (No such file"),
        (
            ["--validation", "0.1", "--family-bound", "0.001", "--out", "x.jsonl"],
            f"all {TARGET} tasks are of one family, which cannot be split; raise --family-bound",
        ),
    ],
)
def test_what_cannot_be_is_one_line_and_writes_nothing(
    export: Export,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, said = export(*arguments)

    assert code == 2
    assert problem in said
    assert said.startswith("asyncgen: error: ")
    assert said.count("\n") == 1
    assert out == ""
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    "name", ["journal.db", "journal.db-wal", "settings.toml", "dataset.jsonl", "run.lock"]
)
def test_the_runs_own_files_are_not_written_over(export: Export, run: Path, name: str) -> None:
    before = contents(run)
    code, _, said = export("--out", run / name)

    assert code == 2
    assert f"{name}: a file of the run itself; choose another name" in said
    assert contents(run) == before


def test_the_run_folder_does_not_become_an_export(export: Export, run: Path) -> None:
    before = contents(run)
    code, _, said = export("--format", "hf", "--out", run)

    assert code == 2
    assert "which no export wrote; choose another --out" in said
    assert contents(run) == before


def test_a_missing_extra_is_named(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as if it were not installed
    code, _, said = export("--format", "parquet", "--out", tmp_path / "x.parquet")

    assert code == 2
    assert "a Parquet file needs an optional dependency: pip install 'asyncgen[parquet]'" in said


def test_a_run_at_work_is_exported_as_far_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def slowly(body: dict[str, Any], _number: int) -> Reply:
        return Reply(answer(prompt_of(body)), delay=0.1)

    folder, out = tmp_path / "run", tmp_path / "tasks.jsonl"
    code, early = 2, ""
    with ModelServer(slowly) as server:
        arguments = ("generate", folder, "--endpoint", server.url, "--model", "test-model")
        with start(*arguments, "--target", "2000", "--max-in-flight", "4") as process:
            deadline = time.monotonic() + 40
            while code and time.monotonic() < deadline:
                code = run_command(["export", str(folder), "--out", str(out), "--json"])
                early, said = capsys.readouterr()
                assert not code or "no finished task yet" in said or "no run here" in said
            was_at_work = process.poll() is None
            process.kill()
    assert run_command(["export", str(folder), "--out", str(tmp_path / "late.jsonl")]) == 0

    assert was_at_work
    assert 0 < json.loads(early)["tasks"] < 2000
    assert (tmp_path / "late.jsonl").read_bytes().startswith(out.read_bytes())


# The hub -------------------------------------------------------------------------------------


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """A hub that the environment names, with a token for it."""
    with LocalHub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield running


def test_a_pushed_folder_is_on_the_hub_as_it_is_here(
    export: Export, hub: LocalHub, tmp_path: Path
) -> None:
    out = tmp_path / "hf"
    arguments = ("--format", "hf", "--out", out, "--json", "--push", "me/tasks")
    code, said, _ = export(*arguments, "--validation", "0.1")
    there = {**hub.files["me/tasks"]}
    here = contents(out)
    again, _, _ = export(*arguments)

    assert code == again == 0
    assert json.loads(said)["pushed"] == f"{hub.url}/datasets/me/tasks"
    assert there == {**here, ".gitattributes": b""}
    assert "data/validation-00000-of-00001.parquet" in there
    # The second export had no split: what the first left there is gone.
    assert hub.files["me/tasks"] == {**contents(out), ".gitattributes": b""}
    assert (hub.visibility, hub.commits) == ({"me/tasks": "private"}, 2)


def test_a_repository_is_public_when_that_is_asked_for(
    export: Export, hub: LocalHub, tmp_path: Path
) -> None:
    flags = ("--push", "me/tasks", "--public", "--license", "cc-by-4.0", "--language", "de")
    assert export("--format", "hf", "--out", tmp_path / "hf", *flags)[0] == 0

    assert hub.visibility == {"me/tasks": "public"}
    assert b'license: "cc-by-4.0"\nlanguage:\n- "de"\n' in hub.files["me/tasks"]["README.md"]


@pytest.mark.parametrize(
    "case",
    [
        ("me/tasks", {"HF_TOKEN": ""}, "--push needs a token that may write, in HF_TOKEN"),
        ("me/tasks", {"HF_TOKEN": "hf_wrong"}, "--push me/tasks: "),
        ("stranger/tasks", {}, "--push stranger/tasks: 403 Forbidden: You have no rights"),
        ("me/ta sks", {}, "--push me/ta sks: Repo id must use alphanumeric chars"),
        ("me/tasks", {"HF_ENDPOINT": "http://127.0.0.1:9"}, "Connection refused"),
    ],
)
def test_what_the_hub_refuses_is_one_line_and_the_folder_stays(
    export: Export,
    hub: LocalHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[str, dict[str, str], str],
) -> None:
    repository, environment, problem = case
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    out = tmp_path / "hf"
    code, _, said = export("--format", "hf", "--out", out, "--push", repository)

    assert code == 2
    assert problem in said
    assert said.count("\n") == 1
    assert out.exists() == bool(environment.get("HF_TOKEN", TOKEN))
    assert hub.commits == 0
    assert TOKEN not in said
