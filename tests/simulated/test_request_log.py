"""The provider's own log of requests."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import anyio
import pytest
from simulated.harness import Caller, against, chat, options

from asyncgen.endpoints.simulated import Latency, SimulatedOptions, simulated_server
from asyncgen.endpoints.simulated.chance import content_key
from asyncgen.endpoints.simulated.request_log import read_request_log

if TYPE_CHECKING:
    from pathlib import Path


def content_of(said: str) -> str:
    return f"{content_key('chat', chat(said)):016x}"


def test_every_request_leaves_a_line_with_its_content_and_what_came_of_it(tmp_path: Path) -> None:
    path = tmp_path / "requests.log"
    before = time.time()

    async def ask(caller: Caller) -> None:
        for said in ("one", "two", "two"):
            await caller.ask(said)

    against(options(log=str(path), faults={"503": 0.5}), ask)
    lines = read_request_log(path)

    assert [line.content for line in lines] == [content_of(said) for said in ("one", "two", "two")]
    assert {line.outcome for line in lines} == {"answered", "503"}
    assert all(before <= line.came <= line.ended <= time.time() for line in lines)


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [({"latency": Latency(first=30.0)}, "abandoned"), ({"faults": {"hang": 1.0}}, "hang")],
)
def test_a_request_that_nobody_waits_for_any_more_is_logged_too(
    tmp_path: Path, behaviour: dict[str, Any], outcome: str
) -> None:
    path = tmp_path / "requests.log"

    async def ask(caller: Caller) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(caller.ask("hello"), 0.2)

    against(options(log=str(path), **behaviour), ask)

    assert [line.outcome for line in read_request_log(path)] == [outcome]


def test_what_was_logged_survives_the_providers_death_and_the_next_one_appends(
    tmp_path: Path,
) -> None:
    path = tmp_path / "requests.log"
    quick = SimulatedOptions(latency=Latency(first=0.0), log=str(path))

    async def ask_and_kill() -> None:
        async with simulated_server(quick, tmp_path / "server.log") as server:
            url = f"{server.base_url}/chat/completions"
            async with aiohttp.request("POST", url, data=chat("hello")) as answer:
                assert answer.status == 200
            with anyio.CancelScope(shield=True):
                server._process.kill()
                await server._process.wait()

    for times in (1, 2):
        anyio.run(ask_and_kill)
        assert [line.content for line in read_request_log(path)] == [content_of("hello")] * times
