"""A model judges over a real connection: resumed after a kill, reported apart."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

from rate.material import write_study
from support.command import asyncgen, start
from support.server import ModelServer, Reply, prompt_of

from asyncgen.journal import JournalReader
from asyncgen.rate.job import database
from asyncgen.rate.store import RatingStore

if TYPE_CHECKING:
    from pathlib import Path

TOTAL = 16


def _verdict(body: dict[str, Any], _number: int) -> Reply:
    """Give what holds certain markup a B, number 7 no level, and all else a C."""
    shown = prompt_of(body).split("<response-")[1]
    if "response to 7" in shown:
        return Reply("Hard to say.")
    return Reply("Level: **B**" if "script" in shown or "svg" in shown else "c")


def _judge(server: ModelServer, out: Path, *more: str | Path) -> list[str | Path]:
    return ["rate", *more, "--out", out, "--judge", server.url, "--judge-model", "test-model"]


def test_a_judge_rates_all_and_is_compared_with_people(tmp_path: Path) -> None:
    out = tmp_path / "out"
    files = write_study(tmp_path)
    assert asyncgen("rate", *files, "--out", out, "--json").returncode == 0
    with RatingStore(database(out), writable=True) as store:
        ada = store.rater("ada", "Ada").number
        store.rate_all(ada, dict.fromkeys(store.responses(), "C"))
    with ModelServer(_verdict) as server:
        told = asyncgen(*_judge(server, out, "--json"))

    assert told.returncode == 0, told.stderr
    assert len(server.bodies) == TOTAL
    assert all(body["temperature"] == 0 for body in server.bodies)
    sent = "".join(map(prompt_of, server.bodies))
    assert "base model" not in sent
    assert "tuned" not in sent
    assert "2 of 16 answers of test-model name no level" in told.stderr
    results = json.loads(told.stdout)["results"]
    ada, judge = results["raters"]
    assert (judge["rater"], judge["kind"], judge["rated"]) == ("test-model", "model", 14)
    # Two of the eight responses of each model have markup in them; one has no level.
    assert [one["counts"] for one in judge["models"]] == [[0, 2, 5, 0], [0, 2, 5, 0]]
    assert [one["counts"] for one in ada["models"]] == [[0, 0, 8, 0], [0, 0, 8, 0]]
    (pair,) = results["agreement"]
    assert (pair["raters"], pair["with_model"], pair["common"]) == (["Ada", "test-model"], True, 14)
    assert pair["kappa"]["value"] == 0


def test_a_killed_judge_asks_only_for_the_rest(tmp_path: Path) -> None:
    out = tmp_path / "out"
    config = tmp_path / "judge.toml"
    config.write_text("max_in_flight = 1\n", "utf-8")
    stuck = threading.Event()

    def first_ten(body: dict[str, Any], number: int) -> Reply:
        if number < 10:
            return _verdict(body, number)
        stuck.set()
        return Reply("C", delay=60)

    arguments = ["--judge-config", str(config)]
    with (
        ModelServer(first_ten) as server,
        start(*_judge(server, out, *write_study(tmp_path), *arguments)) as process,
    ):
        assert stuck.wait(40)
        # What came is answered at once, and journaled some milliseconds later.
        time.sleep(1)
        process.kill()
        process.communicate()
    with RatingStore(database(out), writable=False) as store:
        assert store.raters() == []
    (journal,) = out.glob("judge-*/journal.db")
    kept = len(list(JournalReader(journal)))
    assert 0 < kept <= 10
    with ModelServer(_verdict) as server:
        told = asyncgen(*_judge(server, out, *arguments, "--json"))
    assert told.returncode == 0, told.stderr
    assert len(server.bodies) == TOTAL - kept
    (judge,) = json.loads(told.stdout)["results"]["raters"]
    assert [one["counts"] for one in judge["models"]] == [[0, 2, 5, 0], [0, 2, 5, 0]]


def test_a_judge_is_named_by_its_endpoint(tmp_path: Path) -> None:
    done = asyncgen("rate", *write_study(tmp_path), "--out", tmp_path / "out", "--judge-model", "m")

    assert done.returncode == 2
    assert "belong to --judge ENDPOINT" in done.stderr
    assert not (tmp_path / "out").exists()
