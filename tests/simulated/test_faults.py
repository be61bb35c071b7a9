"""Faults: which strikes when, and what a client sees of it over a real connection."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, get_args

import aiohttp
import pytest
from simulated.harness import Caller, Heard, against, options

from asyncgen.endpoints.simulated import Latency, Step
from asyncgen.endpoints.simulated.faults import Script, drawn_fault
from asyncgen.endpoints.simulated.options import Fault, read_faults
from asyncgen.endpoints.simulated.script import read_script
from asyncgen.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

SHARES: dict[Fault, float] = {"503": 0.2, "hang": 0.1}


def struck_by(fault: Fault, **changes: Any) -> Heard:
    """Ask twice of a provider whose first request is struck; return the first answer."""

    async def ask(caller: Caller) -> Heard:
        first = await caller.ask("hello")
        second = await caller.ask("hello")
        assert second.status == 200
        assert second.body["choices"][0]["message"]["content"]
        assert caller.provider.verdict().faults == {fault: 1}
        return first

    return against(options(script=(Step(fault=fault, nth=1),), **changes), ask)


def test_faults_strike_with_the_probability_asked_for() -> None:
    struck = Counter(drawn_fault(SHARES, key, 1, seed=0) for key in range(10_000))

    assert struck["503"] == pytest.approx(2000, abs=150)
    assert struck["hang"] == pytest.approx(1000, abs=120)


def test_a_fault_follows_from_seed_content_and_attempt_alone() -> None:
    drawn = [drawn_fault(SHARES, 77, attempt, seed=1) for attempt in range(1, 200)]

    assert drawn == [drawn_fault(SHARES, 77, attempt, seed=1) for attempt in range(1, 200)]
    assert drawn != [drawn_fault(SHARES, 77, attempt, seed=2) for attempt in range(1, 200)]
    assert len(set(drawn)) == 3


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("slow_down", 429, "slow_down"),
        ("insufficient_quota", 429, "insufficient_quota"),
        ("500", 500, "internal_error"),
        ("502", 502, "bad_gateway"),
        ("503", 503, "overloaded"),
        ("504", 504, "gateway_timeout"),
        ("529", 529, "overloaded_error"),
        ("error-200", 200, "generation_failed"),
    ],
)
def test_an_error_has_its_status_and_code(fault: Fault, status: int, code: str) -> None:
    heard = struck_by(fault)

    assert heard.status == status
    assert heard.body["error"]["code"] == code


def test_a_429_comes_with_retry_after_or_bare() -> None:
    assert struck_by("429", pause=3.0).headers["retry-after"] == "3"
    assert "retry-after" not in struck_by("429-bare").headers


def test_anthropic_is_overloaded_in_its_own_words() -> None:
    async def ask(caller: Caller) -> Heard:
        body = b'{"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}'
        return await caller.post("/v1/messages", body)

    heard = against(options(script=(Step(fault="529", nth=1),)), ask)
    assert heard.status == 529
    assert heard.body["error"]["type"] == "overloaded_error"


def test_what_is_not_json_is_not() -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(struck_by("not-json").content)


def test_an_empty_answer_has_no_text_and_costs_no_output() -> None:
    body = struck_by("empty").body

    assert not body["choices"][0]["message"]["content"]
    assert body["usage"]["completion_tokens"] == 0


def test_a_reset_breaks_the_connection() -> None:
    async def ask(caller: Caller) -> str:
        with pytest.raises(aiohttp.ClientError) as caught:
            await caller.ask("hello")
        return str(caught.value)

    assert "reset by peer" in against(options(script=(Step(fault="reset", nth=1),)), ask)


def test_a_cut_body_is_shorter_than_it_announced() -> None:
    async def ask(caller: Caller) -> None:
        with pytest.raises(aiohttp.ClientPayloadError):
            await caller.ask("hello")
        assert caller.provider.verdict().outcomes == {"cut-body": 1}

    against(options(script=(Step(fault="cut-body", nth=1),)), ask)


@pytest.mark.parametrize(("fault", "begins"), [("hang", False), ("stall", True)])
def test_silence_lasts_until_the_client_leaves(fault: Fault, begins: bool) -> None:  # noqa: FBT001
    async def ask(caller: Caller) -> None:
        address = ("127.0.0.1", caller.provider.port)
        reader, writer = await asyncio.open_connection(*address)
        body = b'{"model": "m", "prompt": "hello"}'
        writer.write(
            b"POST /v1/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        )
        if begins:
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK")
        # Another connection is answered meanwhile: the silent one holds nothing up.
        assert (await caller.ask("other")).status == 200
        assert caller.provider.verdict().in_flight == 1
        writer.close()
        while caller.provider.verdict().in_flight:  # noqa: ASYNC110 - only a verdict tells
            await asyncio.sleep(0)
        assert caller.provider.verdict().outcomes == {fault: 1, "answered": 1}

    against(options(script=(Step(fault=fault, nth=1),), latency=Latency(first=0.0, knee=1)), ask)


def test_a_slow_answer_is_the_right_one() -> None:
    heard = struck_by("slow", slow=0.01)

    assert heard.status == 200
    assert heard.body["choices"][0]["message"]["content"]


def test_a_script_strikes_by_number_by_time_and_for_a_time() -> None:
    script = Script(
        (
            Step(fault="500", nth=2, count=2),
            Step(fault="503", at=10, count=2),
            Step(fault="reset", at=20, seconds=5),
        )
    )
    told = [
        (1, 0),
        (2, 1),
        (3, 2),
        (4, 9.9),
        (5, 11),
        (6, 12),
        (7, 13),
        (8, 20),
        (9, 24.9),
        (10, 25),
    ]

    assert [script.fault(number, seconds) for number, seconds in told] == [
        *(None, "500", "500", None, "503", "503", None, "reset", "reset", None)
    ]


def test_scripts_are_read_from_json_and_from_toml(tmp_path: Path) -> None:
    as_json, as_toml = tmp_path / "a.json", tmp_path / "a.toml"
    as_json.write_text('[{"at": 10, "fault": "503", "count": 5}, {"nth": 2, "fault": "hang"}]')
    as_toml.write_text(
        '[[step]]\nat = 10\nfault = "503"\ncount = 5\n[[step]]\nnth = 2\nfault = "hang"\n'
    )
    expected = (Step(fault="503", at=10, count=5), Step(fault="hang", nth=2))

    assert read_script(as_json) == read_script(as_toml) == expected


@pytest.mark.parametrize("content", ["[", "[{}]", '[{"fault": "x", "nth": 1}]', "a = 1", "\xff"])
def test_what_is_no_script_is_refused_with_the_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "script"
    path.write_bytes(content.encode("latin-1"))

    with pytest.raises(SettingsError, match="script: "):
        read_script(path)


def test_faults_are_read_by_name() -> None:
    assert read_faults("429=0.02, hang=0.01") == {"429": 0.02, "hang": 0.01}
    assert read_faults("") == {}
    for wrong in ("503", "503=much", "504x=0.1"):
        with pytest.raises(SettingsError, match="--faults"):
            read_faults(wrong)


def test_every_fault_is_struck_somewhere_above() -> None:
    """A new fault is entered in a test."""
    above = "429 429-bare slow_down insufficient_quota 500 502 503 504 529 hang reset cut-body"
    assert set(get_args(Fault)) == set(f"{above} not-json error-200 empty slow stall".split())
