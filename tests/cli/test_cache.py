"""``--cache`` over whole runs: what one run asked, others need not ask again."""

from __future__ import annotations

import io
import json
import resource
import sqlite3
import time
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.command import asyncgen, start
from support.scripts import answer
from support.server import ModelServer, Reply, prompt_of

from asyncgen.cli.app import run as run_command
from asyncgen.cli.flags import settings_of
from asyncgen.pipeline.folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = 24


def _slowly(body: dict[str, Any], _number: int) -> Reply:
    return Reply(answer(prompt_of(body)), delay=0.01)


class Shared:
    """A server, a cache that one run filled, and how others fare with it."""

    def __init__(self, server: ModelServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.cache = folder / "cache"

    def arguments(self, run: Path, *flags: str | Path) -> list[str | Path]:
        """Return the command; what is given again overrides what is said here."""
        return [
            *("generate", run, "--endpoint", self.server.url, "--model", "test-model"),
            *("--target", str(TARGET), "--json", *flags),
        ]

    def generate(self, run: Path, *flags: str | Path) -> tuple[dict[str, Any], int]:
        """Run to the end, in this process; return the status and how many requests were sent."""
        before = len(self.server.bodies)
        state = told(*self.arguments(run, *flags))["status"]
        return state, len(self.server.bodies) - before


def told(*arguments: str | Path) -> dict[str, Any]:
    """Return what the command line prints in this process: one JSON object."""
    out = io.StringIO()
    with redirect_stdout(out):
        assert run_command([str(one) for one in arguments]) == 0
    said: dict[str, Any] = json.loads(out.getvalue())
    return said


@pytest.fixture(scope="module")
def shared(warm: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with ModelServer(_slowly) as server:
        one = Shared(server, tmp_path_factory.mktemp("shared"))
        state, sent = one.generate(one.folder / "first", "--cache", one.cache)
        assert sum(state["answers"].values()) == sent
        assert state["recalled"]["answers"] == 0
        yield one


def written(run: Path) -> list[bytes]:
    return [(run / name).read_bytes() for name in ("dataset.jsonl", "rejected.jsonl")]


@pytest.mark.parametrize("in_flight", ["1", "64"])
def test_a_second_run_sends_nothing_costs_nothing_and_writes_the_same(
    shared: Shared, tmp_path: Path, in_flight: str
) -> None:
    run = tmp_path / "run"
    state, sent = shared.generate(run, "--cache", shared.cache, "--max-in-flight", in_flight)

    assert sent == 0
    assert written(run) == written(shared.folder / "first")
    assert set(state["usage"].values()) == {0}
    assert state["cost"] == 0
    assert state["recalled"]["answers"] == sum(state["answers"].values()) > TARGET
    assert state["recalled"]["usage"]["input_tokens"] > 0
    assert told("status", run, "--json")["status"] == state


@pytest.mark.parametrize("change", [("--threshold", "0.3"), ("--target", "36")])
def test_a_run_of_other_settings_shares_what_it_can_and_is_what_it_would_be_without(
    shared: Shared, tmp_path: Path, change: tuple[str, str]
) -> None:
    alone, asked = shared.generate(tmp_path / "alone", *change)
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "answers.db").write_bytes((shared.cache / "answers.db").read_bytes())
    state, sent = shared.generate(tmp_path / "run", "--cache", cache, *change)

    assert 0 < sent < asked
    assert sent == sum(state["answers"].values()) - state["recalled"]["answers"]
    assert alone["recalled"]["answers"] == 0
    assert written(tmp_path / "run") == written(tmp_path / "alone")


def test_another_model_shares_nothing(shared: Shared, tmp_path: Path) -> None:
    with ModelServer(_slowly, model="other") as server:
        other = Shared(server, tmp_path)
        flags = ("--model", "other", "--cache", shared.cache)
        state, sent = other.generate(tmp_path / "run", *flags)

    assert state["recalled"]["answers"] == 0
    assert sent == sum(state["answers"].values())


def test_a_run_that_is_resumed_takes_what_is_left_from_the_cache(
    shared: Shared, tmp_path: Path
) -> None:
    """It was killed without one; a server that is gone is not missed."""
    run, before = tmp_path / "run", len(shared.server.bodies)
    with start(*shared.arguments(run, "--max-in-flight", "4")) as process:
        while len(shared.server.bodies) < before + 20:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
        process.communicate(timeout=20)
    nowhere = "http://127.0.0.1:1/v1"
    state, sent = shared.generate(run, "--cache", shared.cache, "--endpoint", nowhere)

    assert sent == 0
    assert 0 < state["recalled"]["answers"] < sum(state["answers"].values())
    assert state["usage"]["input_tokens"] > 0
    assert written(run) == written(shared.folder / "first")


def test_what_the_cache_answers_is_no_affair_of_the_budget(tmp_path: Path) -> None:
    with ModelServer(_slowly) as server:
        config = tmp_path / "run.toml"
        config.write_text(
            f'target = {TARGET}\ncache = "cache"\n[[endpoints]]\nurl = "{server.url}"\n'
            'model = "test-model"\nprice = { input = 2.0, output = 10.0 }\n'
        )
        flags = ("--config", config, "--cache", tmp_path / "cache", "--json")
        first = told("generate", tmp_path / "first", *flags)["status"]
        frugal = (*flags, "--max-cost", "0.000001")
        state = told("generate", tmp_path / "second", *frugal)["status"]
        estimate = told("estimate", tmp_path / "second", *frugal)

    assert (state["cost"], state["lost_cost"]) == (0, 0)
    assert 0 < state["recalled"]["cost"] <= first["cost"]
    assert estimate["spent"] == 0


def test_a_probe_takes_what_it_can_from_the_cache(shared: Shared, tmp_path: Path) -> None:
    run, before = tmp_path / "run", len(shared.server.bodies)
    flags = shared.arguments(run, "--cache", shared.cache, "--probe", "15")[1:]
    estimate = told("estimate", *flags)

    assert len(shared.server.bodies) == before
    assert estimate["probe"]["recalled"] == sum(estimate["probe"]["requests"].values()) == 15
    assert estimate["probe"]["input_tokens"] == 0
    assert estimate["assumptions"]["measured_on"] == 15


def test_two_runs_at_once_share_a_cache_and_write_the_same(tmp_path: Path) -> None:
    with ModelServer(_slowly) as server:
        both = Shared(server, tmp_path)
        runs = [tmp_path / "one", tmp_path / "other"]
        flags = ("--cache", both.cache, "--max-in-flight", "4")
        processes = [start(*both.arguments(run, *flags)) for run in runs]
        ends = [process.communicate(timeout=50) for process in processes]
        assert [process.returncode for process in processes] == [0, 0], ends
        _, sent = both.generate(tmp_path / "third", "--cache", both.cache)

    assert sent == 0
    assert written(runs[0]) == written(runs[1]) == written(tmp_path / "third")


def test_a_cache_is_whole_after_runs_that_were_killed(shared: Shared, tmp_path: Path) -> None:
    """What they had journaled and kept is found; what is sent anew is the rest."""
    cache, asked = tmp_path / "cache", 0
    for number in range(2):
        before = len(shared.server.bodies)
        flags = ("--cache", cache, "--max-in-flight", "8")
        with start(*shared.arguments(tmp_path / str(number), *flags)) as process:
            while len(shared.server.bodies) < before + 40 and process.poll() is None:
                time.sleep(0.005)
            process.kill()
            process.communicate(timeout=20)
        asked += len(shared.server.bodies) - before
    state, sent = shared.generate(tmp_path / "last", "--cache", cache)

    assert 0 < state["recalled"]["answers"] <= asked
    assert sent + state["recalled"]["answers"] == sum(state["answers"].values())
    assert written(tmp_path / "last") == written(shared.folder / "first")
    with closing(sqlite3.connect(cache / "answers.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_cache_whose_disk_is_full_is_told_once_and_does_not_stop_the_run(
    shared: Shared, tmp_path: Path
) -> None:
    """No file may grow beyond 12 MB. The cache's log is as long: who reads it keeps it so."""
    cache, run = tmp_path / "cache", tmp_path / "run"
    cache.mkdir()
    (cache / "answers.db").write_bytes((shared.cache / "answers.db").read_bytes())
    with closing(sqlite3.connect(cache / "answers.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM answers").fetchall()
        with closing(sqlite3.connect(cache / "answers.db")) as writer, writer:
            writer.execute("CREATE TABLE filler AS SELECT randomblob(12000000) AS bytes")
        # What the command below asks beyond the cache is more than its first answers.
        before = len(shared.server.bodies)
        flags = ("--cache", cache, "--target", "40")
        with start(*(one for one in shared.arguments(run, *flags) if one != "--json")) as process:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (12_000_000, 12_000_000))
            _, err = process.communicate(timeout=50)

    assert process.returncode == 0, err
    assert len(shared.server.bodies) > before
    lines = [line for line in err.splitlines() if "no longer shared" in line]
    assert len(lines) == 1, err
    assert f"{cache / 'answers.db'}: no longer shared (" in lines[0]
    assert "answers are still taken from it" in lines[0]
    assert len((run / "dataset.jsonl").read_bytes().splitlines()) == 40


def test_a_damaged_cache_is_one_line_and_leaves_the_run_as_it_was(
    shared: Shared, tmp_path: Path
) -> None:
    cache, run = tmp_path / "cache", tmp_path / "run"
    cache.mkdir()
    (cache / "answers.db").write_bytes(b"no database" * 1000)
    done = asyncgen(*shared.arguments(run, "--cache", cache))

    assert done.returncode == 2
    assert done.stderr.startswith(f"asyncgen: error: {cache / 'answers.db'}: cannot be used")
    assert len(done.stderr.splitlines()) == 1
    assert not (run / "settings.toml").exists()


def test_the_setting_holds_from_any_folder_may_change_and_may_be_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = RunFolder(tmp_path / "run")
    run.make()
    config = tmp_path / "run.toml"
    config.write_text('endpoint = "http://127.0.0.1:1/v1"\nmodel = "m"\ncache = "here"\n')
    from_file = settings_of(run, config, {})
    run.freeze(from_file)
    monkeypatch.chdir("/")

    assert from_file.cache == str(tmp_path / "here")
    assert settings_of(run, None, {"cache": None}) == from_file
    for given, cache in (("there", "/there"), ("none", "")):
        wanted = settings_of(run, None, {"cache": Path(given)})
        run.freeze(wanted)
        assert settings_of(run, None, {"cache": None}).cache == cache
