"""However a run is interrupted, what was paid for is kept and the run can be resumed."""

from __future__ import annotations

import os
import pty
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from support.command import asyncgen, environment, start
from support.scripts import answer
from support.server import ModelServer, Reply, prompt_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TARGET = 24


def _slowly(body: dict[str, Any], number: int) -> Reply:
    return Reply(answer(prompt_of(body)), delay=random.Random(number).uniform(0.02, 0.05))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(_slowly) as running:
        yield running


def _arguments(server: ModelServer, run: Path, *more: str) -> list[str | Path]:
    return [
        *("generate", run, "--endpoint", server.url, "--model", "test-model"),
        *("--target", str(TARGET), "--max-in-flight", "4", *more),
    ]


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _is_unasked_twice(server: ModelServer) -> bool:
    asked = [str(sorted(body.items())) for body in server.bodies]
    return len(asked) == len(set(asked))


def test_when_the_terminal_is_closed_what_is_in_the_air_is_kept(tmp_path: Path) -> None:
    """A real terminal, closed; the kernel tells the process group, and a shell tells it again."""
    with ModelServer(_slower_from_the_twentieth) as server:
        _close_the_terminal(server, tmp_path / "run")


def _slower_from_the_twentieth(body: dict[str, Any], number: int) -> Reply:
    """However late the terminal is closed on a busy machine, the run is not over by then."""
    return Reply(answer(prompt_of(body)), delay=2.0 if 20 <= number < 24 else 0.02)


def _close_the_terminal(server: ModelServer, run: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "asyncgen", *map(str, _arguments(server, run))]
    default = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); "  # tests under nohup
    script = "import os, sys; os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])"
    if sys.version_info < (3, 12):
        script = (
            "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
            "os.execv(sys.argv[1], sys.argv[1:])"
        )
    with subprocess.Popen(
        [sys.executable, "-c", default + script, *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=environment(TERM="xterm"),
    ) as process:
        os.close(theirs)
        _wait_until(lambda: len(server.bodies) >= 20)
        os.close(ours)
        time.sleep(0.01)
        process.send_signal(signal.SIGHUP)
        code = process.wait(timeout=20)

    assert code == 128 + signal.SIGHUP
    assert (run / "dataset.jsonl").is_file()
    assert asyncgen(*_arguments(server, run)).returncode == 0
    assert _is_unasked_twice(server)


def test_under_nohup_a_closed_terminal_ends_nothing(server: ModelServer, tmp_path: Path) -> None:
    command = ["nohup", sys.executable, "-m", "asyncgen"]
    command += map(str, _arguments(server, tmp_path / "run"))
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(),
    ) as process:
        _wait_until(lambda: len(server.bodies) >= 20)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=40)

    assert process.returncode == 0


def test_a_run_goes_on_when_whoever_read_its_progress_has_left(tmp_path: Path) -> None:
    def slowly(body: dict[str, Any], _number: int) -> Reply:
        return Reply(answer(prompt_of(body)), delay=0.5)

    # Longer than it takes until the first line of progress.
    with ModelServer(slowly) as server, start(*_arguments(server, tmp_path / "run")) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        _wait_until(lambda: len(server.bodies) >= 4)
        process.stdout.close()
        process.stderr.close()
        code = process.wait(timeout=50)

    assert code == 0
    assert len((tmp_path / "run" / "dataset.jsonl").read_bytes().splitlines()) == TARGET


def test_an_evaluation_goes_on_when_whoever_read_its_progress_has_left(tmp_path: Path) -> None:
    def slowly(_body: dict[str, Any], _number: int) -> Reply:
        return Reply("x", delay=0.5)

    command = ("evaluate", "tasks", "--model", "test-model", "--max-in-flight", "6")
    out = tmp_path / "out"
    # Longer than it takes until the first line of progress.
    with (
        ModelServer(slowly) as server,
        start(*command, "--endpoint", server.url, "--out", out) as process,
    ):
        assert process.stderr is not None
        _wait_until(lambda: len(server.bodies) >= 4)
        process.stderr.close()
        code = process.wait(timeout=50)

    assert code == 0
    assert (out / "scores.json").is_file()


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    def never(body: dict[str, Any], number: int) -> Reply:
        return Reply(answer(prompt_of(body)), delay=0 if number < 3 else 60)

    run = tmp_path / "run"
    with ModelServer(never) as server, start(*_arguments(server, run)) as process:
        _wait_until(lambda: len(server.bodies) >= 5)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)

    assert process.returncode == 130
    assert "nothing is lost, resume with" in err


def test_the_provider_that_a_run_started_dies_with_it(tmp_path: Path) -> None:
    arguments = ("generate", tmp_path / "run", "--endpoint", "simulated", "--target", "100000")
    with start(*arguments) as process:
        us = psutil.Process(process.pid)
        _wait_until(lambda: any("simulated" in " ".join(one.cmdline()) for one in us.children()))
        children = us.children(recursive=True)
        process.kill()
        process.communicate(timeout=10)
        gone, alive = psutil.wait_procs(children, timeout=5)

    assert gone
    assert alive == []


def test_answers_that_came_while_the_run_was_stopped_are_not_thrown_away(tmp_path: Path) -> None:
    """Ctrl-Z: its time limits pass meanwhile, but what was paid for waits to be read."""

    def slowly(body: dict[str, Any], number: int) -> Reply:
        return Reply(answer(prompt_of(body)), delay=1 if 20 <= number < 28 else 0.01)

    with ModelServer(slowly) as server:
        arguments = _arguments(server, tmp_path / "run", "--timeout", "3", "--stall-timeout", "2")
        with start(*arguments) as process:
            _wait_until(lambda: len(server.bodies) >= 24)
            process.send_signal(signal.SIGSTOP)
            time.sleep(4)
            process.send_signal(signal.SIGCONT)
            _, err = process.communicate(timeout=40)

    assert process.returncode == 0, err
    assert _is_unasked_twice(server)
