"""Bad input: one clear line on standard error, exit code 2, nothing lost."""

from __future__ import annotations

import contextlib
import io
import json
import os
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from support.command import asyncgen, environment
from support.server import ModelServer

from asyncgen.cli.app import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(key="right") as running:
        yield running


def _refused(*arguments: str | Path, **changes: str) -> str:
    """Run the command in this process, which spares the start-up of one for each case."""
    said = io.StringIO()
    with (
        mock.patch.dict(os.environ, environment(**changes), clear=True),
        contextlib.redirect_stderr(said),
    ):
        code = run(["generate", *map(str, arguments)])
    line = said.getvalue()

    assert code == 2, line
    assert line.count("\n") == 1, line
    assert line.startswith("asyncgen: error: ")
    return line


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--targt", "5"], "--target"),
        (["--target", "0"], "--target 0: must be at least 1"),
        (["--target", "-3"], "--target -3: must be at least 1"),
        (["--target", "many"], "--target"),
        (["--threshold", "1.5"], "--threshold 1.5: must lie in (0, 1]"),
        (["--rpm", "nan"], "--rpm nan: must be a positive number"),
        (["--api", "soap"], "api"),
        (["--seeds", "absent.jsonl"], "absent.jsonl: cannot be read"),
        (["--config", "absent.toml"], "absent.toml: cannot be read"),
    ],
)
def test_a_wrong_flag_is_named(tmp_path: Path, flags: list[str], said: str) -> None:
    line = _refused(tmp_path / "run", "--endpoint", "http://127.0.0.1:9/v1", "--model", "m", *flags)

    assert said in line
    assert not (tmp_path / "run").exists()


def test_an_unknown_setting_is_answered_with_the_nearest_right_name(tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text('endpoint = "http://127.0.0.1:9/v1"\nmodel = "m"\nmax_inflight = 4\n')

    line = _refused(tmp_path / "run", "--config", config)

    assert f"{config}: unknown setting 'max_inflight' (did you mean 'max_in_flight'?)" in line


def test_neither_endpoint_nor_model_is_guessed(tmp_path: Path) -> None:
    assert "--model" in _refused(tmp_path / "run", "--endpoint", "http://127.0.0.1:9/v1")
    assert "--endpoint" in _refused(tmp_path / "run", "--model", "m")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{not json}\n", ":1: not JSON"),
        ('{"id": "a", "instruction": "b"}\n', ":1: Object missing required field"),
        ("", "0 seed tasks, but a prompt shows 8"),
    ],
)
def test_malformed_seeds_are_named_with_file_and_line(
    tmp_path: Path, content: str, said: str
) -> None:
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text(content)
    flags = ["--endpoint", "http://127.0.0.1:9/v1", "--model", "m", "--seeds", str(seeds)]

    assert f"{seeds}{said}" in _refused(tmp_path / "run", *flags).replace(": 0 seed", "0 seed")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9/v1", "connection refused"),
        ("http://nowhere.invalid/v1", "unknown host 'nowhere.invalid'"),
        ("ftp://127.0.0.1/v1", "not a base URL"),
    ],
)
def test_an_endpoint_that_is_not_there_is_named(tmp_path: Path, url: str, said: str) -> None:
    line = _refused(tmp_path / "run", "--endpoint", url, "--model", "m")

    assert f"{url}: " in line
    assert said in line


def test_a_wrong_path_a_wrong_key_and_an_unknown_model_are_told_apart(
    server: ModelServer, tmp_path: Path
) -> None:
    model = ["--model", "test-model"]
    root = server.url.removesuffix("/v1")

    assert "wrong path" in _refused(tmp_path / "a", "--endpoint", root, *model)
    line = _refused(tmp_path / "b", "--endpoint", server.url, *model, OPENAI_API_KEY="wr0ng")
    assert "the key in $OPENAI_API_KEY is not accepted" in line
    assert "wr0ng" not in line
    line = _refused(tmp_path / "c", "--endpoint", server.url, *model)
    assert "no key in $OPENAI_API_KEY" in line
    line = _refused(
        tmp_path / "d", "--endpoint", server.url, "--model", "other", OPENAI_API_KEY="right"
    )
    assert "unknown model 'other'; it serves: test-model" in line


def test_a_run_of_other_settings_is_refused_naming_the_difference(
    tmp_path: Path,
) -> None:
    with ModelServer() as server:
        flags = ["--endpoint", server.url, "--model", "test-model", "--target", "3"]
        assert asyncgen("generate", tmp_path / "run", *flags).returncode == 0
        before = (tmp_path / "run/dataset.jsonl").read_bytes()

        line = _refused(tmp_path / "run", *flags, "--seed", "7")

    assert "a run of other settings, seed: 42 → 7" in line
    assert (tmp_path / "run/dataset.jsonl").read_bytes() == before


def test_limits_may_change_when_a_run_is_resumed(tmp_path: Path) -> None:
    with ModelServer() as server:
        flags = ["--endpoint", server.url, "--model", "test-model", "--target", "3"]
        assert asyncgen("generate", tmp_path / "run", *flags).returncode == 0
        done = asyncgen("generate", tmp_path / "run", "--max-in-flight", "2", "--rpm", "9000")

    assert done.returncode == 0, done.stderr
    assert "max_in_flight = 2" in (tmp_path / "run/settings.toml").read_text()


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    flags = ["--endpoint", "http://127.0.0.1:9/v1", "--model", "m"]

    assert "not a run folder, and not empty (it holds thesis.txt)" in _refused(tmp_path, *flags)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_run_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("a file, not a folder")
    flags = ["--endpoint", "http://127.0.0.1:9/v1", "--model", "m"]

    assert "cannot be made" in _refused(tmp_path / "note" / "run", *flags)


def test_a_missing_gguf_is_named(tmp_path: Path) -> None:
    absent = tmp_path / "absent.gguf"

    assert str(absent) in _refused(tmp_path / "run", "--endpoint", "local", "--model-path", absent)


def test_a_damaged_gguf_is_named(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"GGUF\x03\x00\x00\x00 and then nothing that makes sense")

    assert str(damaged) in _refused(
        tmp_path / "run", "--endpoint", "local", "--model-path", damaged
    )


def test_status_and_export_of_no_run_say_so(tmp_path: Path) -> None:
    for command in ("status", "export"):
        done = asyncgen(command, tmp_path)

        assert done.returncode == 2
        assert "no run here" in done.stderr


def test_a_key_is_never_written_anywhere(tmp_path: Path) -> None:
    with ModelServer(key="s3cret-key") as server:
        flags = ["--endpoint", server.url, "--model", "test-model", "--target", "3"]
        done = asyncgen("generate", tmp_path / "run", *flags, OPENAI_API_KEY="s3cret-key")

    assert done.returncode == 0
    assert "s3cret" not in json.dumps([done.stdout, done.stderr])
    for path in (tmp_path / "run").iterdir():
        assert b"s3cret" not in path.read_bytes()
