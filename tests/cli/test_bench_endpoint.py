"""The whole command in real processes: what it tells, what it refuses, how it is broken off."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.command import asyncgen, start
from support.server import ModelServer, Reply

from asyncgen.cli.app import run

if TYPE_CHECKING:
    from pathlib import Path

BENCH = ("bench", "endpoint")


def _slowly(_body: dict[str, Any], _number: int) -> Reply:
    return Reply("an answer of five words", delay=0.02)


def test_levels_are_told_as_they_come_and_what_follows_from_them() -> None:
    with ModelServer(_slowly) as server:
        done = asyncgen(
            *BENCH,
            *("--endpoint", server.url, "--model", "test-model", "--levels", "1,2,4"),
            *("--seconds", "0.5", "--prompt-chars", "900", "--max-output-tokens", "77"),
        )

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:4] == ["in", "flight", "requests", "requests/s"]
    assert [line.split()[0] for line in lines[1:4]] == ["1", "2", "4"]
    assert "knee" in done.stdout
    assert "recommended  --max-in-flight " in done.stdout
    assert "cost unknown" in done.stdout
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"asyncgen: asking {server.url} at 1, 2, 4 up to 4 in flight, 0.5 s")
    assert "at most 301 requests" in said
    assert "up to 77 tokens" in said
    assert {body["max_tokens"] for body in server.bodies} == {77}
    prompts = [json.dumps(body["messages"]) for body in server.bodies]
    assert len(set(prompts)) == len(prompts)
    assert server.most_in_flight == 4


def test_a_program_reads_one_object_and_nothing_else() -> None:
    done = asyncgen(
        *BENCH, "--endpoint", "simulated", "--levels", "1,2", "--seconds", "0.5", "--json"
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    found = json.loads(done.stdout)
    assert [level["in_flight"] for level in found["levels"]] == [1, 2]
    assert found["knee"] in {1, 2}
    assert (found["first_429"], found["limits"], found["cost"]) == (None, None, 0.0)
    assert found["stopped"] == "levels"
    for level in found["levels"]:
        assert level["requests_per_s"] > 0
        assert level["p50_s"] >= 0.2
        assert (level["errors"], level["rate_limited"]) == ({}, 0)


def test_the_first_429_and_the_limit_are_told_in_the_outcome() -> None:
    def limited(_body: dict[str, Any], number: int) -> Reply:
        left = max(0, 30 - number)
        headers = {
            "x-ratelimit-limit-requests": "30",
            "x-ratelimit-remaining-requests": str(left),
            "x-ratelimit-reset-requests": f"{2 * (30 - left)}s",
        }
        if left:
            return Reply("words", headers=headers, delay=0.01)
        return Reply(status=429, body=b"{}", headers={**headers, "Retry-After": "2"})

    with ModelServer(limited) as server:
        done = asyncgen(
            *(*BENCH, "--endpoint", server.url, "--model", "test-model", "--json"),
            *("--levels", "1,2,8", "--seconds", "0.1"),
        )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["stopped"] == "rate_limited"
    assert found["first_429"]["in_flight"] == found["levels"][-1]["in_flight"]
    assert found["first_429"]["retry_after_s"] == 2
    assert found["limits"] == {"rpm": {"limit": 30, "certain": True}}
    assert found["recommended"]["rpm"] == 30
    assert len(server.bodies) == found["requests"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_broken_off_it_tells_what_there_is(number: int, code: int) -> None:
    with ModelServer(_slowly) as server:
        arguments = ("--endpoint", server.url, "--model", "test-model", "--levels", "4,8")
        with start(*BENCH, *arguments, "--seconds", "30", "--json") as process:
            deadline = time.monotonic() + 30
            while len(server.bodies) < 20:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.005)
            process.send_signal(number)
            out, err = process.communicate(timeout=20)

    assert process.returncode == code, err
    found = json.loads(out)
    assert found["stopped"] == "interrupted"
    assert [level["in_flight"] for level in found["levels"]] == [4]
    assert found["levels"][0]["answered"] >= 10
    assert "dropping what is in the air" in err
    assert "Traceback" not in err


def test_broken_off_in_words_the_level_under_way_is_told_too() -> None:
    with ModelServer(_slowly) as server:
        arguments = ("--endpoint", server.url, "--model", "test-model", "--levels", "4")
        with start(*BENCH, *arguments, "--seconds", "30") as process:
            deadline = time.monotonic() + 30
            while len(server.bodies) < 20:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)

    assert process.returncode == 130, err
    assert out.splitlines()[1].split()[0] == "4"
    assert "stopped      interrupted" in out


def test_what_an_endpoint_refuses_is_said_as_generate_says_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with ModelServer(key="right") as server:
        assert "OPENAI_API_KEY" in refused(capsys, 2, "--endpoint", server.url, "--model", "m")
    with ModelServer() as server:
        said = refused(capsys, 2, "--endpoint", server.url, "--model", "other")
        assert "test-model" in said
    said = refused(capsys, 2, "--endpoint", server.url, "--model", "test-model")
    assert "is the server running there?" in said


def test_without_credit_it_stops_at_the_first_request(capsys: pytest.CaptureFixture[str]) -> None:
    body = b'{"error": {"message": "no money", "code": "insufficient_quota"}}'
    with ModelServer(lambda _body, _number: Reply(status=429, body=body)) as server:
        said = refused(capsys, 3, "--endpoint", server.url, "--model", "test-model")

    assert "no money" in said
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("", "no endpoint named"),
        ("--endpoint http://127.0.0.1:9/v1", "no model named"),
        ("--endpoint nowhere --model m", "--endpoint nowhere: not a base URL"),
        ("--endpoint {url} --model m --api smoke", "'anthropic'"),
        ("--endpoint {url} --model m --levels 4,2", "--levels 4,2: must rise from 1 or more"),
        ("--endpoint {url} --model m --levels x", "--levels x: 'x' is no number of requests"),
        ("--endpoint {url} --model m --levels 1 --max-in-flight 4", "one of them"),
        ("--endpoint {url} --model m --max-in-flight 0", "--max-in-flight"),
        ("--endpoint {url} --model m --seconds 0", "--seconds 0: must be positive"),
        ("--endpoint {url} --model m --seconds nan", "--seconds nan: must be positive"),
        ("--endpoint {url} --model m --max-requests 0", "--max-requests"),
        ("--endpoint {url} --model m --max-cost -1", "--max-cost -1.0: must be a positive"),
        ("--endpoint {url} --model m --max-cost 1", "--max-cost: no price is known for {url}"),
        ("--endpoint {url} --model m --prompt-chars 0", "--prompt-chars"),
        ("--endpoint {url} --model m --max-output-tokens 0", "--max-output-tokens"),
        ("--endpoint {url} --model m --config absent.toml", "absent.toml: cannot be read"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], flags: str, said: str
) -> None:
    url = "http://127.0.0.1:9/v1"

    assert said.replace("{url}", url) in refused(capsys, 2, *flags.replace("{url}", url).split())


def test_prices_and_keys_may_stand_in_a_settings_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "right")
    config = tmp_path / "run.toml"
    with ModelServer(key="right") as server:
        entry = (
            f'[[endpoints]]\nurl = "{server.url}"\nmodel = "test-model"\n'
            'api_key_env = "A_KEY"\nprice = {input = 1.0, output = 1.0}\n'
        )
        config.write_text(entry)
        flags = ("--config", str(config), "--max-cost", "0.02", "--seconds", "3", "--json")
        code = run([*BENCH, *flags])
        found = json.loads(capsys.readouterr().out)

        assert code == 0
        assert found["stopped"] == "max_cost"
        assert 0 < found["cost"] <= 0.02
        assert {header["Authorization"] for header in server.headers} == {"Bearer right"}

        config.write_text(entry + entry)
        assert "measures one endpoint" in refused(capsys, 2, "--config", str(config))


def refused(capsys: pytest.CaptureFixture[str], code: int, *flags: str) -> str:
    """Run what ends with a code and one line; return the line."""
    assert run([*BENCH, *flags]) == code
    said = capsys.readouterr()
    assert said.out == ""
    lines = [line for line in said.err.splitlines() if not line.startswith("asyncgen: asking ")]
    assert len(lines) == 1, said.err
    assert lines[0].startswith("asyncgen: error: ")
    return lines[0]
