"""A run at work is asked, changed and stopped by another process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import threading
import time
import tomllib
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.command import asyncgen, start
from support.scripts import answer
from support.server import ModelServer, Reply, prompt_of

from asyncgen.endpoints.simulated import Latency, SimulatedOptions, simulated_here

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Generator, Iterator

    from asyncgen.endpoints.simulated import SimulatedProvider

LONG = ("--target", "5000", "--saturation-bound", "0")
"""A run that is at work for as long as a test looks at it."""


def _slowly(body: dict[str, Any], _number: int) -> Reply:
    return Reply(answer(prompt_of(body)), delay=0.05)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(_slowly) as running:
        yield running


@pytest.fixture
def provider() -> Iterator[SimulatedProvider]:
    """A simulated provider without limits, in a thread of this process."""
    ready, ended = threading.Event(), threading.Event()
    found: list[SimulatedProvider] = []

    async def serve() -> None:
        async with simulated_here(SimulatedOptions(latency=Latency(first=0.02))) as serving:
            found.append(serving)
            ready.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield found[0]
    ended.set()
    thread.join(10)


def _wait(until: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 40
    while not until():
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def _at_work(
    run: Path, server: ModelServer, *arguments: str | Path
) -> Generator[subprocess.Popen[str]]:
    """Keep a run at work, from its first answers on."""
    told = ("--endpoint", server.url, "--model", "test-model", *LONG, *arguments)
    with start("generate", run, *told) as process:
        try:
            before = len(server.bodies)
            _wait(lambda: len(server.bodies) >= before + 20, process)
            yield process
        finally:
            process.kill()


def _ctl(run: Path, *arguments: str) -> dict[str, Any]:
    done = asyncgen("ctl", run, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    live: dict[str, Any] = json.loads(done.stdout)["live"]
    return live


def _kept(run: Path) -> dict[str, Any]:
    return tomllib.loads((run / "settings.toml").read_text("utf-8"))


def _talk(run: Path, sent: bytes) -> bytes:
    """Send bytes to the control socket and read what comes until it closes or falls silent."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(run / "control.sock"))
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := client.recv(65536):
            received += chunk
        return received


def test_a_rate_that_is_lowered_in_mid_run_is_kept_to_at_once_and_kept_for_later(
    provider: SimulatedProvider, tmp_path: Path
) -> None:
    def requests() -> int:
        return provider.verdict().requests

    run = tmp_path / "run"
    told = ("--endpoint", provider.base_url, "--model", "m", "--target", "5000", "--rpm", "6000")
    with start("generate", run, *told) as process:
        try:
            _wait(lambda: requests() > 40, process)
            live = _ctl(run, "--rpm", "1200")
            begin, before = time.monotonic(), requests()
            _wait(lambda: requests() >= before + 30, process)
            sent, seconds = requests() - before, time.monotonic() - begin
            second = _ctl(run)
        finally:
            process.kill()

    assert live["changed"] == ["rpm 6,000 → 1,200"]
    assert live["engine"]["lanes"][0]["limits"][0]["per_minute"] == 1200
    # No more than the rate brings, and a small burst.
    assert sent <= 20 * seconds + 5
    assert second["changed"] == []
    assert second["engine"]["answered"] > live["engine"]["answered"]
    assert _kept(run)["rpm"] == 1200


def test_the_number_in_flight_is_changed_in_mid_run(server: ModelServer, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with _at_work(run, server, "--max-in-flight", "16") as process:
        _ctl(run, "--max-in-flight", "2")
        _wait(lambda: _ctl(run)["engine"]["in_flight"] <= 2, process)
        before, server.most_in_flight = len(server.bodies), 0
        _wait(lambda: len(server.bodies) >= before + 30, process)

    assert 1 <= server.most_in_flight <= 2
    assert _kept(run)["max_in_flight"] == 2


def test_a_budget_that_is_lowered_pauses_the_run_and_a_resume_keeps_to_it(
    server: ModelServer, tmp_path: Path
) -> None:
    run, config = tmp_path / "run", tmp_path / "run.toml"
    price = "price = { input = 100.0, output = 100.0 }"
    config.write_text(
        f'model = "test-model"\n[[endpoints]]\nurl = "{server.url}"\n{price}\n', "utf-8"
    )
    told = ("--config", config, "--target", "5000", "--max-cost", "1000")
    with start("generate", run, *told) as process:
        _wait(lambda: len(server.bodies) >= 30, process)
        spent = _ctl(run)["engine"]["spent"]
        live = _ctl(run, "--max-cost", f"{spent + 1:.2f}")
        _, err = process.communicate(timeout=40)
    again = asyncgen("generate", run)

    assert live["engine"]["max_cost"] == pytest.approx(spent + 1, abs=0.01)
    assert process.returncode == 3
    assert "allowed, and the next request may cost" in err
    # The flag of old would undo the change.
    assert err.rstrip().endswith(f"resume with: asyncgen generate {run}")
    assert again.returncode == 3
    assert f"of the ${spent + 1:.2f} allowed" in again.stderr


def test_a_cap_where_no_price_is_known_is_refused_and_the_run_goes_on(
    server: ModelServer, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with _at_work(run, server) as process:
        refused = asyncgen("ctl", run, "--max-cost", "5")
        before = len(server.bodies)
        _wait(lambda: len(server.bodies) >= before + 20, process)

    assert refused.returncode == 2
    assert "--max-cost needs a price" in refused.stderr
    assert "max_cost" not in _kept(run)


def test_a_run_that_is_stopped_finishes_what_is_in_the_air_and_can_be_resumed(
    tmp_path: Path,
) -> None:
    hurry = threading.Event()
    hurry.set()

    def reply(body: dict[str, Any], number: int) -> Reply:
        # The command needs a second to start: until then the run must not be done.
        return Reply(answer(prompt_of(body)), delay=0 if hurry.is_set() or number < 16 else 1)

    run, expected = tmp_path / "run", tmp_path / "undisturbed"
    with ModelServer(reply) as server:
        told = ("--endpoint", server.url, "--model", "test-model", "--target", "24")
        asyncgen("generate", expected, *told)
        server.bodies.clear()
        hurry.clear()
        with start("generate", run, *told, "--max-in-flight", "4") as process:
            _wait(lambda: len(server.bodies) >= 20, process)
            live = _ctl(run, "--stop")
            _, err = process.communicate(timeout=40)
        hurry.set()
        resumed = asyncgen("generate", run)
    asked = [json.dumps(body, sort_keys=True) for body in server.bodies]

    assert live["stopping"]
    assert process.returncode == 130
    assert f"interrupted; nothing is lost, resume with: asyncgen generate {run} " in err
    assert resumed.returncode == 0, resumed.stderr
    assert len(asked) == len(set(asked))
    assert (run / "dataset.jsonl").read_bytes() == (expected / "dataset.jsonl").read_bytes()


def test_one_endpoint_of_two_is_changed_by_its_url(server: ModelServer, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with ModelServer(_slowly) as other:
        with _at_work(run, server, "--endpoint", other.url, "--rpm", "60000"):
            live = _ctl(run, "--endpoint", other.url, "--rpm", "90", "--max-in-flight", "1")
            unknown = asyncgen("ctl", run, "--endpoint", "http://nowhere/v1", "--rpm", "90")
            text = asyncgen("ctl", run).stdout
        urls = [server.url, other.url]

    rates = {lane["name"]: lane["limits"][0]["per_minute"] for lane in live["engine"]["lanes"]}
    assert rates == {urls[0]: 60000, urls[1]: 90}
    assert live["engine"]["lanes"][1]["window"] == 1
    assert live["changed"] == [
        f"{urls[1]}: rpm 60,000 → 90",
        f"{urls[1]}: max-in-flight none → 1",
    ]
    assert unknown.returncode == 2
    assert f"none of that URL, but {urls[0]}, {urls[1]}" in unknown.stderr
    assert [entry.get("rpm") for entry in _kept(run)["endpoints"]] == [None, 90]
    for line in (f"  {urls[0]}: ", f"  {urls[1]}: ", "    90 requests/min · ", "  cost $0.00"):
        assert line in text


def test_clients_that_hang_send_rubbish_or_never_read_do_no_harm(
    server: ModelServer, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with _at_work(run, server) as process:
        clients = [socket.socket(socket.AF_UNIX) for _ in range(40)]
        for number, client in enumerate(clients):
            client.connect(str(run / "control.sock"))
            client.settimeout(0)
            if number % 2:
                client.send(b'{"do": "sta')
        _ask_without_reading(clients[-1])
        replies = _talk(run, b'\xff\xfe\n\n[1]\n{"do": "dance"}\n{"do": "stop", "x": 1}\n').split(
            b"\n"
        )
        endless = _talk_rudely(run, b"x" * 1_000_000)
        live = _ctl(run, "--max-in-flight", "9")
        before = len(server.bodies)
        _wait(lambda: len(server.bodies) >= before + 20, process)
        for client in clients:
            client.close()

    assert replies[-1] == b""
    assert len(replies) == 6
    for reply in replies[:-1]:
        assert json.loads(reply)["error"].startswith("not a command: ")
    assert endless == b""
    assert not live["stopping"]


def _ask_without_reading(client: socket.socket) -> None:
    with suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
        while True:
            client.send(b'{"do": "status"}\n' * 100)


def _talk_rudely(run: Path, sent: bytes) -> bytes:
    try:
        return _talk(run, sent)
    except (BrokenPipeError, ConnectionResetError):
        return b""


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--rpm", "-3"), "--rpm -3.0: must be a positive number"),
        (("--rpm", "fast"), "--rpm fast: a number, or 'none' to lift the limit"),
        (("--rpm", "1e999"), "--rpm 1e999: a number, or 'none' to lift the limit"),
        (("--max-in-flight", "0"), "--max-in-flight 0: must be at least 1"),
        (("--stop", "--rpm", "3"), "--stop goes alone"),
        (("--endpoint", "http://x/v1"), "nothing to change is given"),
    ],
)
def test_a_change_that_makes_no_sense_is_one_line_and_changes_nothing(
    arguments: tuple[str, ...], problem: str, at_work: Path
) -> None:
    before = _kept(at_work)
    done = asyncgen("ctl", at_work, *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"asyncgen: error: {problem}\n"
    assert _kept(at_work) == before


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    run = tmp_path_factory.mktemp("work") / "run"
    with ModelServer(_slowly) as server, _at_work(run, server):
        yield run


def test_the_socket_is_its_owners_alone(at_work: Path) -> None:
    mode = (at_work / "control.sock").stat().st_mode

    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_status_tells_the_live_state_while_a_process_is_at_work(at_work: Path) -> None:
    told = json.loads(asyncgen("status", at_work, "--json").stdout)
    text = asyncgen("status", at_work).stdout

    assert told["status"]["target"] == 5000
    assert told["live"]["process"] == int((at_work / "run.lock").read_text("ascii"))
    assert told["live"]["engine"]["lanes"][0]["answered"] >= 1
    assert f"process {told['live']['process']} at work" in text
    assert "of 5000 tasks, unfinished\n" in text


def test_a_limit_is_set_and_lifted(at_work: Path) -> None:
    assert _ctl(at_work, "--tpm", "9e9")["engine"]["lanes"][0]["limits"][0]["meter"] == "tokens"
    assert _ctl(at_work, "--tpm", "none")["engine"]["lanes"][0]["limits"] == []
    assert "tpm" not in _kept(at_work)


def test_a_second_process_is_refused_and_the_first_is_still_reached(at_work: Path) -> None:
    second = asyncgen("generate", at_work)

    assert second.returncode == 2
    assert "in use by process" in second.stderr
    assert _ctl(at_work)["process"] == int((at_work / "run.lock").read_text("ascii"))


def test_nobody_at_work_is_one_line_and_no_live_state(server: ModelServer, tmp_path: Path) -> None:
    """Neither in a folder without a run, nor after its end, nor after a SIGKILL."""
    run, told = tmp_path / "run", ("--endpoint", server.url, "--model", "test-model")
    nothing = asyncgen("ctl", run, "--rpm", "5")
    with _at_work(run, server) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    stale = (run / "control.sock").is_socket()
    killed = asyncgen("ctl", run)
    status = json.loads(asyncgen("status", run, "--json").stdout)
    other = tmp_path / "other"
    assert asyncgen("generate", other, *told, "--target", "5").returncode == 0
    ended = asyncgen("ctl", other)

    assert stale
    for path, done in ((run, nothing), (run, killed), (other, ended)):
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"asyncgen: error: {path}: no process is at work here; generate starts or resumes one\n"
        )
    assert "live" not in status
    assert not (other / "control.sock").exists()


def test_a_socket_left_by_a_killed_process_is_no_obstacle(
    server: ModelServer, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with _at_work(run, server) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with _at_work(run, server) as process:
        assert _ctl(run)["process"] == process.pid


def test_a_path_too_long_for_an_address_is_no_obstacle(server: ModelServer, tmp_path: Path) -> None:
    run = tmp_path / ("x" * 200) / "run"
    with _at_work(run, server) as process:
        assert _ctl(run)["process"] == process.pid
        assert (run / "control.sock").is_socket()
        relative = asyncgen("ctl", Path(os.path.relpath(run)), "--json")
        assert relative.returncode == 0
        _ctl(run, "--stop")
        process.communicate(timeout=40)

    assert not (run / "control.sock").exists()


def test_a_folder_that_takes_no_socket_is_said_so_and_the_run_goes_on(
    server: ModelServer, tmp_path: Path
) -> None:
    """As on file systems that have none; here something else is in the way."""
    run, told = tmp_path / "run", ("--endpoint", server.url, "--model", "test-model")
    asyncgen("generate", run, *told, "--target", "3")
    (run / "control.sock" / "in the way").mkdir(parents=True)
    done = asyncgen("generate", run, *told, "--target", "3")
    again = asyncgen("generate", tmp_path / "fresh", *told, "--target", "3")

    assert (done.returncode, again.returncode) == (0, 0)
    assert f"asyncgen ctl cannot reach this run: no socket in {run}" in done.stderr
    assert "cannot reach" not in again.stderr


def test_a_process_that_is_halted_is_said_so_and_status_tells_what_is_in_the_folder(
    server: ModelServer, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with _at_work(run, server) as process:
        process.send_signal(signal.SIGSTOP)
        done = asyncgen("status", run, "--json")
        process.send_signal(signal.SIGCONT)
        live = _ctl(run)

    assert done.returncode == 0
    assert "the process at work here has not answered for 5 s" in done.stderr
    assert "live" not in json.loads(done.stdout)
    assert live["process"] == process.pid
