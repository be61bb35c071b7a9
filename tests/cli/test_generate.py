"""``generate`` against a real server: the same dataset however it got there."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.command import asyncgen, start
from support.scripts import answer
from support.server import ModelServer, Reply, prompt_of

from asyncgen.pipeline.seeds import packaged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TARGET = 24


def _slowly(body: dict[str, Any], number: int) -> Reply:
    return Reply(answer(prompt_of(body)), delay=random.Random(number).uniform(0, 0.03))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(_slowly) as running:
        yield running


def _arguments(server: ModelServer, run: Path, in_flight: int = 16) -> list[str | Path]:
    return [
        *("generate", run, "--endpoint", server.url, "--model", "test-model"),
        *("--target", str(TARGET), "--max-in-flight", str(in_flight)),
    ]


def _undisturbed(server: ModelServer, run: Path) -> bytes:
    done = asyncgen(*_arguments(server, run))

    assert done.returncode == 0, done.stderr
    return (run / "dataset.jsonl").read_bytes()


def _wait_for_answers(server: ModelServer, at_least: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while len(server.bodies) < at_least:
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("api", ["chat", "completions", "anthropic"])
def test_the_dataset_is_the_same_at_1_and_at_64_in_flight(
    server: ModelServer, tmp_path: Path, api: str
) -> None:
    for in_flight in (1, 64):
        run = tmp_path / str(in_flight)
        done = asyncgen(*_arguments(server, run, in_flight), "--api", api)
        assert done.returncode == 0, done.stderr
    one, many = tmp_path / "1", tmp_path / "64"

    assert (one / "dataset.jsonl").read_bytes() == (many / "dataset.jsonl").read_bytes()
    assert (one / "rejected.jsonl").read_bytes() == (many / "rejected.jsonl").read_bytes()
    assert server.most_in_flight > 8


def test_every_task_is_complete_and_traceable(server: ModelServer, tmp_path: Path) -> None:
    lines = _undisturbed(server, tmp_path / "run").splitlines()
    tasks = [json.loads(line) for line in lines]

    assert len(tasks) == TARGET
    assert len({task["id"] for task in tasks}) == TARGET
    for task in tasks:
        assert list(task) == [
            *("id", "instruction", "is_classification", "instances", "most_similar", "provenance")
        ]
        assert task["instances"]
        assert all(instance["output"] for instance in task["instances"])
        assert task["most_similar"]["score"] <= 0.7
        assert len(task["provenance"]["demonstrations"]) == 8
        assert task["provenance"]["model"] == "test-model"
        assert task["provenance"]["endpoint"] == "127.0.0.1"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_says_how_to_resume_and_ends_with_the_same_dataset(
    server: ModelServer, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    expected = _undisturbed(server, tmp_path / "undisturbed")
    run, before = tmp_path / "run", len(server.bodies)
    with start(*_arguments(server, run)) as process:
        _wait_for_answers(server, before + 20, process)
        process.send_signal(number)
        _, err = process.communicate(timeout=20)

    assert process.returncode == code
    assert f"resume with: asyncgen generate {run}" in err
    assert len((run / "dataset.jsonl").read_bytes().splitlines()) < TARGET
    assert asyncgen(*_arguments(server, run)).returncode == 0
    assert (run / "dataset.jsonl").read_bytes() == expected


def test_what_is_in_the_air_at_ctrl_c_is_journaled_and_never_asked_again(
    server: ModelServer, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with start(*_arguments(server, run)) as process:
        _wait_for_answers(server, 20, process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    asyncgen(*_arguments(server, run))
    asked = [json.dumps(body, sort_keys=True) for body in server.bodies]

    assert len(asked) == len(set(asked))


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_dataset(
    server: ModelServer, tmp_path: Path
) -> None:
    expected = _undisturbed(server, tmp_path / "undisturbed")
    run, kills = tmp_path / "run", 0
    for in_flight in itertools.cycle((1, 32, 7)):
        before = len(server.bodies)
        with start(*_arguments(server, run, in_flight)) as process:
            while process.poll() is None and len(server.bodies) < before + 20:
                time.sleep(0.005)
            process.kill()
            process.communicate(timeout=20)
        kills += process.returncode == -signal.SIGKILL
        if process.returncode == 0 or kills == 4:
            break

    assert kills > 1
    assert asyncgen(*_arguments(server, run)).returncode == 0
    assert (run / "dataset.jsonl").read_bytes() == expected


def test_copies_made_at_work_and_after_a_kill_go_on_elsewhere(
    server: ModelServer, tmp_path: Path
) -> None:
    """With ``cp -r``: the lock, the control socket and the log of the journal come along."""
    cp = str(shutil.which("cp"))
    seeds = tmp_path / "mine.jsonl"
    seeds.write_bytes(packaged("seed_tasks.jsonl").read_bytes())
    expected = _undisturbed(server, tmp_path / "undisturbed")
    run, before = tmp_path / "run", len(server.bodies)
    at_work, killed = tmp_path / "elsewhere" / "at_work", tmp_path / "elsewhere" / "killed"
    at_work.parent.mkdir()
    with start(*_arguments(server, run), "--seeds", seeds) as process:
        _wait_for_answers(server, before + 20, process)
        subprocess.run([cp, "-r", run, at_work], check=True)
        process.kill()
        process.communicate(timeout=20)
    subprocess.run([cp, "-r", run, killed], check=True)
    shutil.rmtree(run)
    seeds.unlink()

    assert process.returncode == -signal.SIGKILL
    for copy in (at_work, killed):
        assert (copy / "journal.db-wal").is_file()
        done = asyncgen("generate", copy)
        assert done.returncode == 0, done.stderr
        assert (copy / "dataset.jsonl").read_bytes() == expected


def test_a_finished_run_asks_nothing_more(server: ModelServer, tmp_path: Path) -> None:
    expected = _undisturbed(server, tmp_path / "run")
    asked = len(server.bodies)

    assert _undisturbed(server, tmp_path / "run") == expected
    assert len(server.bodies) == asked


def test_what_killed_sessions_left_half_written_is_swept_away_and_nothing_else(
    server: ModelServer, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    expected = _undisturbed(server, run)
    for name in ("settings.toml", "dataset.jsonl", "rejected.jsonl"):
        (run / f".{name}.4711.partial").write_text("half of a li")
    # Somebody's export into the folder may be under way.
    others = run / ".tasks.jsonl.4711.partial"
    others.touch()

    assert _undisturbed(server, run) == expected
    assert list(run.glob(".*")) == [others]


def test_a_second_process_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    def slowly(body: dict[str, Any], _number: int) -> Reply:
        return Reply(answer(prompt_of(body)), delay=0.1)

    run = tmp_path / "run"
    with ModelServer(slowly) as server, start(*_arguments(server, run, 2)) as first:
        _wait_for_answers(server, 5, first)
        second = asyncgen(*_arguments(server, run, 2))
        _, err = first.communicate(timeout=40)

    assert second.returncode == 2
    assert second.stderr.startswith(f"asyncgen: error: {run}: in use by process {first.pid}")
    assert first.returncode == 0, err


def test_transient_failures_change_nothing_but_the_number_of_attempts(tmp_path: Path) -> None:
    def flaky(body: dict[str, Any], number: int) -> Reply:
        if number % 7 == 3:
            return Reply(status=503, body=b'{"error": {"message": "overloaded"}}')
        if number % 7 == 5:
            return Reply(status=429, body=b"{}", headers={"retry-after-ms": "20"})
        return Reply(answer(prompt_of(body)))

    with ModelServer() as reliable:
        expected = _undisturbed(reliable, tmp_path / "reliable")
    with ModelServer(flaky) as unreliable:
        assert _undisturbed(unreliable, tmp_path / "unreliable") == expected


def test_json_prints_one_object_with_the_funnel(server: ModelServer, tmp_path: Path) -> None:
    done = asyncgen(*_arguments(server, tmp_path / "run"), "--json")
    outcome = json.loads(done.stdout)
    status = json.loads(asyncgen("status", tmp_path / "run", "--json").stdout)

    assert outcome["outcome"] == "done"
    assert outcome["status"]["tasks"] == TARGET
    assert done.stderr == ""
    assert status["status"] == outcome["status"]
    lost = sum(outcome["status"]["rejections"].get("generation", {}).values())
    assert outcome["status"]["candidates"] == outcome["status"]["kept"] + lost


def test_export_writes_what_the_run_wrote(server: ModelServer, tmp_path: Path) -> None:
    expected = _undisturbed(server, tmp_path / "run")
    out = tmp_path / "tasks.jsonl"

    assert asyncgen("export", tmp_path / "run", "--format", "jsonl", "--out", out).returncode == 0
    assert out.read_bytes() == expected
    assert asyncgen("export", tmp_path / "run").stdout.encode() == expected


def test_no_credit_ends_in_a_pause_that_can_be_resumed(tmp_path: Path) -> None:
    quota = b'{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}'

    def poor(body: dict[str, Any], number: int) -> Reply:
        return Reply(answer(prompt_of(body))) if number < 20 else Reply(status=429, body=quota)

    with ModelServer() as rich:
        expected = _undisturbed(rich, tmp_path / "rich")
        port = rich.port
    server = ModelServer(poor)
    server.port = port
    with server:
        done = asyncgen(*_arguments(server, tmp_path / "run"))
    assert done.returncode == 3
    assert "no credit or quota left" in done.stderr

    with ModelServer() as rich:
        assert _undisturbed(rich, tmp_path / "run") == expected


def test_a_trial_run_needs_neither_key_nor_model(tmp_path: Path) -> None:
    """Against the simulated provider, which is started for it and is gone afterwards."""
    run = tmp_path / "run"
    done = asyncgen("generate", run, "--endpoint", "simulated", "--target", "30", "--json")
    tasks = [json.loads(line) for line in (run / "dataset.jsonl").read_bytes().splitlines()]

    assert done.returncode == 0, done.stderr
    assert len({task["instruction"] for task in tasks}) == 30
    assert {task["provenance"]["endpoint"] for task in tasks} == {"simulated"}


def test_the_profile_of_the_original_runs_and_cannot_be_changed_by_resuming(tmp_path: Path) -> None:
    run = tmp_path / "run"
    simulated = ("generate", run, "--endpoint", "simulated", "--target", "12")
    done = asyncgen(*simulated, "--profile", "paper")
    tasks = [json.loads(line) for line in (run / "dataset.jsonl").read_text().splitlines()]
    other = asyncgen("generate", run, "--profile", "default")
    again = asyncgen("generate", run)

    assert (done.returncode, len(tasks)) == (0, 12), done.stderr
    assert all(task["instruction"][1:].islower() for task in tasks)
    assert (other.returncode, again.returncode) == (2, 0)
    assert "profile: 'paper' → 'default'" in other.stderr


def test_a_model_that_hesitates_is_asked_again_and_what_was_interrupted_goes_on(
    tmp_path: Path,
) -> None:
    asked: list[str] = []

    def hesitant(body: dict[str, Any], _number: int) -> Reply:
        prompt = prompt_of(body)
        last = prompt.rstrip().splitlines()[-1]
        asked.append(last)
        if last == "Classification:":
            return Reply("It depends on what is meant.")
        return Reply("Yes, it is." if last.startswith("Classification (") else answer(prompt))

    with ModelServer(hesitant) as server:
        process = start(*_arguments(server, tmp_path / "killed", 4))
        _wait_for_answers(server, 12, process)
        process.kill()
        process.communicate()
        killed = _undisturbed(server, tmp_path / "killed")
        once = _undisturbed(server, tmp_path / "once")
        done = asyncgen("status", tmp_path / "once", "--json")

    state = json.loads(done.stdout)["status"]
    assert killed == once
    assert state["undecided"] == 0
    assert state["classification"] > TARGET
    assert state["answers"]["classification"] > 2 * TARGET
    assert asked.count("Classification (yes or no):") > TARGET
