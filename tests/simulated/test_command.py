"""The command: it serves, stops when told, prints its verdict, and suits a whole run."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from simulated.harness import chat
from support.command import asyncgen, start

from asyncgen.cli.app import run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Generator
    from pathlib import Path

TARGET = 60


@contextlib.contextmanager
def serving(*flags: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Serve on a free port; give the process and its base URL."""
    with start("serve", "simulated", "--port", "0", "--latency", "0.001", *flags) as process:
        try:
            stream = process.stderr if "--json" in flags else process.stdout
            assert stream is not None
            line = stream.readline()
            assert line.startswith("serving 'simulated' (simulated) at http://127.0.0.1:"), line
            yield process, line.split(" at ")[1].split(";")[0]
        finally:
            process.kill()


def posted(url: str, body: bytes) -> int:
    with urllib.request.urlopen(url, data=body) as response:  # noqa: S310 - our own server
        return int(response.status)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_told_and_prints_its_verdict(number: signal.Signals) -> None:
    with serving("--rpm", "6000") as (process, url):
        assert posted(f"{url}/chat/completions", chat("hello")) == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=20)

    assert process.returncode == 0, err
    assert "1 requests in 0.0 s\n1 answered, at most 1 in flight" in out
    assert "limit of 6,000 requests/min: 1 used" in out


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_a_whole_run_reaches_its_target_under_faults_and_limits(tmp_path: Path, api: str) -> None:
    flags = ["--faults", "503=0.03,reset=0.02,not-json=0.02,cut-body=0.02", "--knee", "8"]
    with serving("--json", "--rpm", "600000", *flags) as (process, url):
        arguments = ["--endpoint", url, "--model", "simulated", "--api", api]
        done = asyncgen("generate", tmp_path / "run", *arguments, "--target", str(TARGET))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    verdict: dict[str, Any] = json.loads(out)
    lines = (tmp_path / "run/dataset.jsonl").read_text().splitlines()
    tasks = [json.loads(line) for line in lines]

    assert done.returncode == 0, done.stderr
    assert len(tasks) == TARGET
    assert len({task["is_classification"] for task in tasks}) == 2
    assert sum(verdict["faults"].values()) > 0
    assert verdict["duplicates"] == 0
    assert verdict["most_in_flight"] > 8
    assert verdict["requests"] == sum(verdict["outcomes"].values())


def test_the_same_run_on_two_providers_makes_the_same_dataset(tmp_path: Path) -> None:
    for name, flags in (("calm", []), ("wild", ["--faults", "502=0.1", "--spread", "lognormal"])):
        with serving(*flags) as (_, url):
            arguments = ["--endpoint", url, "--model", "simulated", "--target", "20"]
            done = asyncgen("generate", tmp_path / name, *arguments)
            assert done.returncode == 0, done.stderr

    calm, wild = (tmp_path / name / "dataset.jsonl" for name in ("calm", "wild"))
    assert calm.read_bytes() == wild.read_bytes()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--rpm", "0"], "--rpm 0.0: must be a positive number"),
        (["--rpm", "many"], "--rpm"),
        (["--headers", "acme"], "--headers"),
        (["--faults", "503"], "--faults: '503' is not NAME=SHARE"),
        (["--faults", "5O3=0.1"], "unknown fault '5O3'; there are 429, 429-bare"),
        (["--faults", "503=0.8,500=0.8"], "add up to 1.6"),
        (["--script", "absent.toml"], "absent.toml: cannot be read"),
        (["--latency", "-1"], "--latency -1: must be 0 or more"),
        (["--taken", "1"], "--taken 1: must lie in [0, 1)"),
        (["--knee", "0"], "--knee 0: must be at least 1"),
        (["--port", "70000"], "--port"),
        (["--port", "0", "--log", "absent/log"], "--log absent/log: cannot be written (No such"),
    ],
)
def test_a_wrong_flag_is_named_in_one_line(flags: list[str], said: str) -> None:
    heard = io.StringIO()
    with contextlib.redirect_stderr(heard):
        code = run(["serve", "simulated", *flags])

    assert code == 2
    assert said in heard.getvalue()
    assert heard.getvalue().count("\n") == 1
