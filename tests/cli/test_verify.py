"""``verify``: what a run wrote, held against its journal; nothing is changed."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from cli.runs import TARGET, arguments, contents, generated
from support.command import asyncgen, start
from support.scripts import answer
from support.server import ModelServer, Reply, prompt_of

from asyncgen.cli.app import run as command
from asyncgen.journal import JournalReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.runs import Verify


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generated(tmp_path_factory.mktemp("finished") / "run")


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """Return a finished run that a test may spoil."""
    return shutil.copytree(finished, tmp_path / "run")


@pytest.fixture
def verify(warm: None, capsys: pytest.CaptureFixture[str]) -> Verify:
    """Return the command, as a function to exit code and JSON; it must not change a byte."""

    def verified(run: Path, *more: str) -> tuple[int, dict[str, Any]]:
        before = contents(run)
        capsys.readouterr()
        code = command(["verify", str(run), *more, "--json"])
        assert contents(run) == before
        return code, json.loads(capsys.readouterr().out)

    return verified


def _changes(run: Path, name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = run / name
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def _states(found: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["state"] for one in found["files"]}


def test_a_finished_run_follows_from_its_journal_and_that_from_its_settings(run: Path) -> None:
    done = asyncgen("verify", run)

    assert done.returncode == 0
    assert done.stdout.startswith(f"{run}: {TARGET} of {TARGET} tasks; all of it follows")
    assert "each as settings, seeds and answers lead to it" in done.stdout
    assert f"dataset.jsonl   {TARGET} lines, identical" in done.stdout


@pytest.mark.parametrize("api", ["completions", "anthropic"])
def test_requests_of_every_interface_are_made_anew(
    tmp_path: Path, api: str, verify: Verify
) -> None:
    code, found = verify(generated(tmp_path / "run", "--api", api))

    assert code == 0
    assert found["requests"]["answers"] > TARGET
    assert found["requests"]["odd"] == 0


def test_questions_that_were_asked_again_are_made_anew_as_such(
    tmp_path: Path, verify: Verify
) -> None:
    def hesitant(body: dict[str, Any], _number: int) -> Reply:
        prompt = prompt_of(body)
        if prompt.endswith("(yes or no):"):
            return Reply("no")
        return Reply("Hm." if prompt.endswith("Classification:") else answer(prompt))

    run = tmp_path / "run"
    with ModelServer(hesitant) as server:
        assert asyncgen(*arguments(server, run)).returncode == 0
    keys = [one.request.key for one in JournalReader(run / "journal.db")]

    assert any(key.endswith("#2") for key in keys)
    assert verify(run)[0] == 0


def test_an_edited_line_is_named_with_its_field(run: Path, verify: Verify) -> None:
    def edit(lines: list[bytes]) -> list[bytes]:
        task = json.loads(lines[3])
        task["instances"][0]["output"] += " or so"
        lines[3] = json.dumps(task, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        return lines

    _changes(run, "dataset.jsonl", edit)
    code, found = verify(run)
    dataset = found["files"][0]

    assert code == 1
    assert dataset["state"] == "different"
    assert dataset["comparison"]["counts"] == {"changed": 1}
    (difference,) = dataset["comparison"]["first"]
    assert (difference["line"], difference["field"]) == (4, "instances.0.output")
    said = asyncgen("verify", run)
    assert said.returncode == 1
    assert f"line 4 ({difference['id']}): changed in instances.0.output" in said.stdout


def test_lines_that_are_missing_extra_or_moved_are_told_apart(run: Path, verify: Verify) -> None:
    def shuffle(lines: list[bytes]) -> list[bytes]:
        return [lines[0], lines[3], lines[2], *lines[4:], b'{"id": "mine"}\n', b"?\n"]

    _changes(run, "dataset.jsonl", shuffle)
    code, found = verify(run)
    comparison = found["files"][0]["comparison"]

    assert code == 1
    assert comparison["counts"] == {"missing": 1, "moved": 2, "extra": 2}
    assert [one["line"] for one in comparison["first"]] == [2, 2, 3, TARGET, TARGET + 1]
    assert comparison["first"][3]["id"] == "mine"


def test_a_rejection_that_was_taken_out_is_missed(run: Path, verify: Verify) -> None:
    _changes(run, "rejected.jsonl", lambda lines: lines[1:])
    code, found = verify(run)

    assert code == 1
    assert _states(found) == {"dataset.jsonl": "identical", "rejected.jsonl": "different"}


def test_files_that_are_gone_are_not_written_yet(run: Path, verify: Verify) -> None:
    (run / "dataset.jsonl").unlink()
    (run / "rejected.jsonl").unlink()
    code, found = verify(run)

    assert code == 1
    assert _states(found) == {"dataset.jsonl": "absent", "rejected.jsonl": "absent"}
    assert f"not written yet; run asyncgen generate {run}" in asyncgen("verify", run).stdout


def test_a_run_that_was_killed_is_older_than_its_journal_until_generate_goes_on(
    tmp_path: Path, verify: Verify
) -> None:
    def slowly(body: dict[str, Any], _number: int) -> Reply:
        return Reply(answer(prompt_of(body)), delay=0.02)

    run = tmp_path / "run"
    with ModelServer(slowly) as server:
        wanted = arguments(server, run, "--max-in-flight", "4", "--target", "60")
        for end, asked in ((signal.SIGINT, 40), (signal.SIGKILL, 90)):
            with start(*wanted) as process:
                deadline = time.monotonic() + 30
                while len(server.bodies) < asked:
                    assert process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.005)
                process.send_signal(end)
                process.communicate(timeout=20)
        code, found = verify(run)
        assert code == 1
        assert _states(found)["dataset.jsonl"] == "older"
        assert _states(found)["rejected.jsonl"] in {"older", "identical"}
        assert "older than the journal; run asyncgen generate" in asyncgen("verify", run).stdout
        assert asyncgen(*wanted).returncode == 0

    assert verify(run)[0] == 0


def test_a_run_at_work_in_another_process_is_verified_beside_it(tmp_path: Path) -> None:
    def stuck(body: dict[str, Any], number: int) -> Reply:
        return Reply(answer(prompt_of(body)), delay=0 if number < 10 else 300)

    run = tmp_path / "run"
    with ModelServer(stuck) as server, start(*arguments(server, run)) as process:
        deadline = time.monotonic() + 30
        while len(server.bodies) < 11:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        said = asyncgen("verify", run)
        process.kill()
        process.communicate(timeout=20)

    assert said.returncode == 1
    assert f"process {process.pid} is at work on it" in said.stdout
    assert "not written yet; written when the process ends" in said.stdout


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ("UPDATE answers SET variable = variable || ' ' WHERE number = 1", "prompt"),
        ("UPDATE answers SET seed = 7 WHERE number = 1", "sampling"),
        ("UPDATE answers SET request_sha256 = x'00' WHERE number = 1", "sha256"),
    ],
)
def test_a_request_that_the_settings_do_not_lead_to_is_named(
    run: Path, verify: Verify, change: str, differs: str
) -> None:
    with closing(sqlite3.connect(run / "journal.db")) as connection:
        connection.execute(change)
        connection.commit()
    code, found = verify(run)

    assert code == 1
    assert found["requests"]["odd"] == 1
    assert found["requests"]["first"] == [{"stage": "generation", "key": "0", "differs": differs}]
    assert set(_states(found).values()) == {"identical"}


def test_an_answer_that_was_edited_shows_in_what_was_written(run: Path, verify: Verify) -> None:
    with closing(sqlite3.connect(run / "journal.db")) as connection:
        connection.execute("UPDATE answers SET text = 'Output: 7' WHERE stage = 'instances'")
        connection.commit()
    code, found = verify(run)

    assert code == 1
    assert _states(found)["dataset.jsonl"] == "different"


def test_a_damaged_journal_is_one_line_and_exit_1(run: Path, verify: Verify) -> None:
    journal = run / "journal.db"
    content = bytearray(journal.read_bytes())
    content[-4096:] = b"\xa5" * 4096
    journal.write_bytes(content)
    code, found = verify(run)

    assert code == 1
    assert found["damage"]
    assert "damaged: " in asyncgen("verify", run).stdout


def test_two_runs_are_compared_by_what_their_journals_hold(
    finished: Path, tmp_path: Path, verify: Verify
) -> None:
    same = shutil.copytree(finished, tmp_path / "same")
    (same / "dataset.jsonl").unlink()
    assert verify(finished, "--against", str(same))[0] == 0

    other = generated(tmp_path / "other", "--threshold", "0.6", "--seed", "7")
    code, found = verify(finished, "--against", str(other))
    assert code == 1
    assert not found["identical"]
    assert {"threshold: 0.7 → 0.6", "seed: 42 → 7"} <= set(found["settings"])
    assert found["dataset"]["first"]
    said = asyncgen("verify", finished, "--against", other)
    assert said.returncode == 1
    assert "  setting threshold: 0.7 → 0.6" in said.stdout


def test_what_is_no_run_is_one_line_and_exit_2(tmp_path: Path, finished: Path) -> None:
    for given in ((tmp_path,), (finished, "--against", tmp_path)):
        done = asyncgen("verify", *given)
        assert done.returncode == 2
        assert done.stderr == (
            f"asyncgen: error: {tmp_path}: no run here: "
            f"{'settings.toml' if len(given) > 1 else 'journal.db'} is missing\n"
        )
