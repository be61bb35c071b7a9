"""``generate --judge`` against two real servers: who is asked what, and what it makes of a run."""

from __future__ import annotations

import json
import random
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from cli.material import json_lines
from support.command import asyncgen, start
from support.server import ModelServer, Reply, prompt_of
from support.simulation import replied

from asyncgen.cli.app import run as command
from asyncgen.journal import JournalReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TARGET = 24
LEAST = 0.67


def _slowly(body: dict[str, Any], number: int) -> Reply:
    return replied(body, delay=random.Random(number).uniform(0, 0.03))


class Pair:
    """The server that makes tasks and the one that judges."""

    def __init__(self, stack: ExitStack) -> None:
        self.maker = stack.enter_context(ModelServer(_slowly, model="maker"))
        self.judge = stack.enter_context(ModelServer(_slowly, model="judge", key="secret"))

    def arguments(self, run: Path, *more: str | Path) -> list[str | Path]:
        """Return those of a judged run."""
        return [
            *("generate", run, "--endpoint", self.maker.url, "--model", "maker"),
            *("--judge", self.judge.url, "--judge-model", "judge"),
            *("--judge-api-key-env", "JUDGE_KEY", "--min-score", str(LEAST)),
            *("--target", str(TARGET), *more),
        ]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        yield Pair(stack)


@pytest.fixture(scope="module")
def run(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a judged run, made one request at a time."""
    folder = tmp_path_factory.mktemp("runs") / "judged"
    done = asyncgen(*pair.arguments(folder, "--max-in-flight", "1"), JUDGE_KEY="secret")
    assert done.returncode == 0, done.stderr
    return folder


def _is_judging(body: dict[str, Any]) -> bool:
    return prompt_of(body).rstrip().endswith("3. Is the output correct?")


def test_each_server_is_asked_its_own_stages_and_no_other(pair: Pair, run: Path) -> None:
    stages = [answer.request.stage for answer in JournalReader(run / "journal.db")]

    assert not any(map(_is_judging, pair.maker.bodies))
    assert all(map(_is_judging, pair.judge.bodies))
    assert len(pair.judge.bodies) == stages.count("judging") > TARGET
    assert len(pair.maker.bodies) == len(stages) - stages.count("judging")
    assert not any("secret" in str(headers) for headers in pair.maker.headers)


def test_what_was_said_stands_with_each_instance_and_what_got_less_is_dropped(run: Path) -> None:
    tasks = json_lines((run / "dataset.jsonl").read_bytes())
    rejected = json_lines((run / "rejected.jsonl").read_bytes())
    said = [one["judge"] for task in tasks for one in task["instances"]]
    low = [row for row in rejected if row["reason"] == "judged_low"]

    assert len(tasks) == TARGET
    assert {one["model"] for one in said} == {"judge"}
    assert {one["score"] for one in said} == {0.67, 1.0}
    assert all(
        one["score"] == round(sum((one["valid"], one["input"], one["output"])) / 3, 2)
        for one in said
    )
    assert low
    assert all(row["detail"].count("no") >= 2 for row in low)
    assert {row["stage"] for row in low} == {"judging"}


def test_killed_on_the_way_and_resumed_it_is_the_same_bytes_and_verified(
    pair: Pair, run: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    before = len(pair.judge.bodies)
    with start(*pair.arguments(again, "--max-in-flight", "32"), JUDGE_KEY="secret") as process:
        while process.poll() is None and len(pair.judge.bodies) < before + 5:
            time.sleep(0.002)
        process.kill()
        process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    resumed = asyncgen(*pair.arguments(again, "--max-in-flight", "32"), JUDGE_KEY="secret")

    assert resumed.returncode == 0, resumed.stderr
    for name in ("dataset.jsonl", "rejected.jsonl"):
        assert (again / name).read_bytes() == (run / name).read_bytes()
    assert asyncgen("verify", again).returncode == 0


def test_status_tells_the_scores(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["status", str(run), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["status"]
    judged = told["judged"]

    assert sum(judged["scores"].values()) == judged["instances"] <= told["answers"]["judging"]
    assert told["rejections"]["judging"]["judged_low"] == sum(
        count for score, count in judged["scores"].items() if float(score) < LEAST
    )
    assert command(["status", str(run)]) == 0
    assert "judged_low" in capsys.readouterr().out


def test_another_least_score_follows_from_the_same_answers(
    pair: Pair, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = len(pair.judge.bodies) + len(pair.maker.bodies)
    for least in ("0", "1"):
        out = tmp_path / f"least-{least}"
        capsys.readouterr()
        given = ["--min-score", least, "--out", str(out), "--json"]
        assert command(["refilter", str(run), *given]) == 0
        found = json.loads(capsys.readouterr().out)
        assert command(["verify", str(out)]) == 0
        tasks = json_lines((out / "dataset.jsonl").read_bytes())
        scores = [one["judge"]["score"] for task in tasks for one in task["instances"]]
        assert found["left_out"] == 0
        assert min(scores) == (1.0 if least == "1" else min(scores)) >= float(least)
        assert len(tasks) == TARGET if least == "0" else 0 < len(tasks) < TARGET
    assert asked == len(pair.judge.bodies) + len(pair.maker.bodies)


def test_an_export_takes_what_got_so_much_of_any_run(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "best.jsonl"
    assert command(["export", str(run), "--min-score", "1", "--out", str(out)]) == 0
    tasks = json_lines(out.read_bytes())

    assert 0 < len(tasks) < TARGET
    assert {one["judge"]["score"] for task in tasks for one in task["instances"]} == {1.0}


def test_a_judge_whose_key_is_refused_is_told_and_nothing_of_the_rest_is_lost(
    pair: Pair, tmp_path: Path
) -> None:
    done = asyncgen(*pair.arguments(tmp_path / "run"), JUDGE_KEY="wrong")

    assert done.returncode == 2
    assert pair.judge.url in done.stderr
    assert "JUDGE_KEY" in done.stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--min-score", "1"], "--min-score: nobody judges; add --judge ENDPOINT"),
        (["--judge", "self", "--min-score", "3"], "--min-score 3.0: must lie between 0 and 1"),
        (["--judge-model", "x"], "--judge ENDPOINT: says where the judge is"),
        (["--judge", "ftp://x"], "--judge ftp://x: not a base URL"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(
    given: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = command(["generate", str(tmp_path / "run"), "--endpoint", "simulated", *given])
    said = capsys.readouterr().err

    assert code == 2
    assert told in said
    assert said.count("\n") == 1


def test_a_run_goes_on_with_another_judge_only_if_it_is_the_same_model(
    pair: Pair, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = ["generate", str(run), "--judge"]

    assert command([*again, "http://127.0.0.1:9/v1", "--judge-model", "judge"]) == 0
    assert command([*again, pair.judge.url, "--judge-model", "another"]) == 2
    assert "judge: 'judge' → 'another'" in capsys.readouterr().err
