"""`asyncgen rate` from outside: served, killed, gone on with, told."""

from __future__ import annotations

import json
import threading
from http.client import HTTPException
from typing import TYPE_CHECKING

import pytest
from rate.material import Serving, row, write_rows, write_study
from support.command import asyncgen

from asyncgen.rate.job import database
from asyncgen.rate.store import RatingStore

if TYPE_CHECKING:
    from pathlib import Path

TASKS = 30


def _rate_until_killed(server: Serving, acknowledged: dict[int, str], kill_at: int) -> None:
    """Rate one response after the other; from another thread a kill comes at some moment."""
    turn = server.post("begin", rater="Ada")
    reached = threading.Event()

    def kill() -> None:
        reached.wait()
        server.process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        while turn["item"] is not None:
            number = turn["item"]["number"]
            level = "ABCD"[number % 4]
            turn = server.post("rate", rater="Ada", response=number, level=level)
            acknowledged[number] = level
            if len(acknowledged) >= kill_at:
                reached.set()
    except (OSError, HTTPException):
        pass
    finally:
        reached.set()
        killer.join()


def test_no_acknowledged_rating_is_lost_by_sigkill(tmp_path: Path) -> None:
    out = tmp_path / "out"
    acknowledged: dict[int, str] = {}
    files = write_study(tmp_path, TASKS)
    for kill in (1, 2):
        with Serving(out, *files) as server:
            _rate_until_killed(server, acknowledged, 15 * kill)
        files = []
        with RatingStore(database(out), writable=False) as store:
            given = store.given(1)
        assert len(acknowledged) >= 15 * kill
        assert acknowledged.items() <= given.items()
        # What was kept and not acknowledged, for the kill came between: one a kill at the most.
        assert len(given) <= len(acknowledged) + kill
        assert all(level == "ABCD"[number % 4] for number, level in given.items())


def test_a_rater_goes_on_where_he_was_and_ctrl_c_says_how(tmp_path: Path) -> None:
    out = tmp_path / "my ratings"
    with Serving(out, *write_study(tmp_path)) as server:
        first = server.post("begin", rater="Ada")
        second = server.post("rate", rater="Ada", response=first["item"]["number"], level="B")
        code, said = server.interrupt()
    assert code == 0
    assert "stopped: 1 ratings kept this time" in said
    assert "Ada: 1 of 16" in said
    assert f"go on:   asyncgen rate --out '{out}' --port {server.port}\n" in said
    assert f"results: asyncgen rate --out '{out}' --results" in said

    with Serving(out, port=server.port) as again:
        # The address that raters were given holds.
        assert again.url == server.url
        assert again.post("begin", rater="ada") == second
        assert (
            asyncgen("rate", "--out", out)
            .stderr.strip()
            .endswith("wait for it, or end it and run again")
        )
        told = asyncgen("rate", "--out", out, "--results")
    assert told.returncode == 0
    assert "Ada: 1 of 16 rated" in told.stdout
    assert (out / "results.html").is_file()


def test_results_can_be_read_by_a_program(tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = asyncgen("rate", *write_study(tmp_path), "--out", out, "--json")

    assert told.returncode == 0
    results = json.loads(told.stdout)["results"]
    assert results["models"] == ["<b>tuned</b>", "base model"]
    assert (results["tasks"], results["raters"], results["agreement"]) == (8, [], [])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--out", "{}/new"], "{}/new: no study here: name files of responses"),
        (["{}/bad.jsonl", "--out", "{}/new"], "{}/bad.jsonl:2: no field 'response'; it has: id, "),
        (["{}/gone.jsonl", "--out", "{}/new"], "{}/gone.jsonl: cannot be read"),
        (["{}/good.jsonl", "--out", "{}/good.jsonl"], "{}/good.jsonl: cannot be made"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str], problem: str) -> None:
    lacking = row(1, "m")
    del lacking["response"]
    write_rows(tmp_path / "bad.jsonl", [row(0, "m"), lacking])
    write_rows(tmp_path / "good.jsonl", [row(0, "m")])
    done = asyncgen("rate", *(one.format(tmp_path) for one in arguments))

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"asyncgen: error: {problem.format(tmp_path)}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "new").exists()
