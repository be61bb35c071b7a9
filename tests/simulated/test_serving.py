"""Serving over real sockets: HTTP as clients write it, places at the knee, the admin routes."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import anyio
import orjson
import psutil
import pytest
from simulated.harness import Caller, against, chat, options

from asyncgen.endpoints.simulated import (
    Allowance,
    Latency,
    SimulatedOptions,
    simulated_here,
    simulated_server,
)
from asyncgen.endpoints.simulated.chance import delay_of
from asyncgen.endpoints.simulated.http import HttpRequest, MalformedRequest, RequestReader
from asyncgen.endpoints.simulated.places import Places
from asyncgen.errors import LocalServerError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

MESSAGES = [{"role": "user", "content": "hello"}]


def raw(body: bytes, *, head: bytes = b"") -> bytes:
    return b"POST /v1/chat/completions HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (
        *(head, len(body), body),
    )


def test_chat_completions_and_messages_answer_in_their_forms() -> None:
    async def ask(caller: Caller) -> tuple[Any, Any, Any]:
        prompt = orjson.dumps({"model": "x", "prompt": "hello"})
        messages = orjson.dumps({"model": "x", "max_tokens": 9, "messages": MESSAGES})
        said = await caller.ask("hello", max_tokens=9)
        completed = await caller.post("/v1/completions", prompt)
        message = await caller.post("/v1/messages", messages)
        return said.body, completed.body, message.body

    said, completed, message = against(options(), ask)
    assert said["choices"][0]["message"]["role"] == "assistant"
    assert said["choices"][0]["finish_reason"] == "length"
    assert said["usage"]["completion_tokens"] == 9
    assert completed["object"] == "text_completion"
    assert len(completed["choices"][0]["text"]) == 256 * 4
    assert message["content"][0]["type"] == "text"
    assert message["stop_reason"] == "max_tokens"
    assert message["usage"]["output_tokens"] == 9


def test_the_same_request_gets_the_same_bytes() -> None:
    async def ask(caller: Caller) -> set[bytes]:
        return {(await caller.ask("hello")).content for _ in range(3)}

    assert len(against(options(), ask)) == 1
    assert against(options(), ask) == against(options(), ask)


def test_models_unknown_paths_and_wrong_methods_are_told_apart() -> None:
    async def ask(caller: Caller) -> list[Any]:
        return [
            (await caller.get("/v1/models")).body["data"][0]["id"],
            (await caller.get("/v2/models")).status,
            (await caller.get("/v1/chat/completions")).status,
            (await caller.post("/v1/models", b"{}")).status,
            (await caller.post("/v1/chat/completions", b"{")).status,
        ]

    assert against(options(model="mine"), ask) == ["mine", 404, 405, 405, 400]


def test_beyond_the_knee_requests_take_turns_in_the_order_of_their_coming() -> None:
    async def ask(caller: Caller) -> list[int]:
        done: list[int] = []

        async def one(number: int) -> None:
            await caller.ask(f"{number}")
            done.append(number)

        async with asyncio.TaskGroup() as group:
            for number in range(6):
                group.create_task(one(number))
                while caller.provider.verdict().requests <= number:  # noqa: ASYNC110
                    await asyncio.sleep(0)
        assert caller.provider.verdict().refused == {}
        return done

    assert against(options(latency=Latency(first=0.02, knee=1)), ask) == list(range(6))


def test_places_are_given_in_order_and_who_gives_up_leaves_the_queue() -> None:
    places: Places[str] = Places(2)

    assert [places.enter(one) for one in "abcde"] == [True, True, False, False, False]
    assert places.leave("c") is None
    assert places.leave("a") == "d"
    assert places.leave("d") == "e"
    assert places.leave("b") is None
    assert places.leave("e") is None
    assert places.enter("f")


def test_latencies_follow_from_the_content_and_have_their_spread() -> None:
    fixed = Latency(first=1.0, per_token=0.1)
    wide = Latency(first=1.0, per_token=0.1, spread="uniform", width=0.5)
    skewed = Latency(first=1.0, per_token=0.1, spread="lognormal", width=0.5)
    keys = range(2000)

    assert {delay_of(fixed, 10, key) for key in keys} == {2.0}
    delays = [delay_of(wide, 10, key) for key in keys]
    assert delays == [delay_of(wide, 10, key) for key in keys]
    assert 1.0 <= min(delays) < 1.05
    assert 2.95 < max(delays) < 3.0
    ordered = sorted(delay_of(skewed, 10, key) for key in keys)
    assert ordered[1000] == pytest.approx(2.0, rel=0.05)
    assert sum(ordered) / 2000 == pytest.approx(2.0 * 2.718 ** (0.5**2 / 2), rel=0.05)


def test_limits_and_outages_are_changed_while_it_serves() -> None:
    async def ask(caller: Caller) -> list[int]:
        statuses = [(await caller.ask("a")).status]
        changed = await caller.post("/simulated/limits", b'{"rpm": 60, "taken": 0.5}')
        assert changed.body["rpm"] == 60
        assert (await caller.get("/simulated/limits")).body["taken"] == 0.5
        statuses += [(await caller.ask(said)).status for said in "bc"]
        await caller.post("/simulated/limits", b'{"rpm": null}')
        statuses.append((await caller.ask("d")).status)
        await caller.post("/simulated/outage", b'{"seconds": 100, "kind": "529"}')
        statuses.append((await caller.ask("e")).status)
        await caller.post("/simulated/outage", b'{"seconds": 0}')
        statuses.append((await caller.ask("f")).status)
        verdict = (await caller.get("/simulated/verdict")).body
        assert verdict["answered"] == 4
        assert verdict["refused"] == {"requests": 1}
        return statuses

    assert against(options(), ask) == [200, 200, 429, 200, 529, 200]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/simulated/limits", b'{"rpn": 5}', "rpn"),
        ("/simulated/limits", b'{"rpm": -5}', "must be a positive number"),
        ("/simulated/limits", b"5", "object"),
        ("/simulated/outage", b'{"seconds": 5, "kind": "flood"}', "one of 500, 502"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(path: str, body: bytes, said: str) -> None:
    async def ask(caller: Caller) -> None:
        heard = await caller.post(path, body)
        assert heard.status == 400
        assert said in heard.body["error"]["message"]

    against(options(), ask)


def cut(*parts: bytes) -> list[HttpRequest | MalformedRequest | None]:
    """Feed parts to a reader and return what it makes of them, part by part."""
    reader, found = RequestReader(), list[HttpRequest | MalformedRequest | None]()
    for part in parts:
        reader.feed(part)
        found.append(reader.next())
    return found


def test_a_request_is_read_from_pieces_of_any_size() -> None:
    whole = raw(chat("hello"), head=b"Host: here\r\n")
    pieces = [whole[index : index + 1] for index in range(len(whole))]

    read = cut(*pieces)
    assert read[:-1] == [None] * (len(whole) - 1)
    assert read[-1] == HttpRequest("POST", "/v1/chat/completions", chat("hello"), closes=False)


def test_requests_that_follow_each_other_are_cut_apart() -> None:
    reader = RequestReader()
    reader.feed(raw(b"one") + raw(b"two") + b"GET /v1/models?x=1 HTTP/1.1\r\n\r\n")
    read = [reader.next() for _ in range(4)]

    assert [request.body for request in read[:3] if isinstance(request, HttpRequest)] == [
        *(b"one", b"two", b"")
    ]
    assert isinstance(read[2], HttpRequest)
    assert read[2].path == "/v1/models"
    assert read[3] is None


def test_chunks_are_joined() -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    read = cut(head + b"3\r\nabc\r\n", b"2;x=y\r\nde\r\n0\r\n\r\n")

    assert read == [None, HttpRequest("POST", "/", b"abcde", closes=True)]


@pytest.mark.parametrize(
    "content",
    [
        b"hello\r\n\r\n",
        b"x" * 70_000,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_connection_closed(content: bytes) -> None:
    async def ask(caller: Caller) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", caller.provider.port)
        writer.write(content)
        answer = await reader.read()
        writer.close()
        return answer

    assert against(options(), ask).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_requests_on_one_connection_are_answered_in_their_order() -> None:
    async def ask(caller: Caller) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", caller.provider.port)
        last = raw(chat("c", max_tokens=3), head=b"Connection: close\r\n")
        writer.write(raw(chat("a", max_tokens=1)) + raw(chat("b", max_tokens=2)) + last)
        answer = await reader.read()
        writer.close()
        return answer

    answers = against(options(latency=Latency(first=0.001)), ask)
    counts = [part.split(b",", 1)[0] for part in answers.split(b'"completion_tokens":')[1:]]
    assert counts == [b"1", b"2", b"3"]


def test_what_is_asked_after_the_end_of_a_connection_is_not_counted_as_answered() -> None:
    async def ask(caller: Caller) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", caller.provider.port)
        writer.write(raw(chat("a"), head=b"Connection: close\r\n") + raw(chat("b")))
        answer = await reader.read()
        writer.close()
        assert caller.provider.verdict().answered == 1
        return answer

    assert against(options(), ask).count(b"HTTP/1.1 200 OK") == 1


def test_a_client_that_waits_for_100_continue_gets_it() -> None:
    async def ask(caller: Caller) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", caller.provider.port)
        head, _, body = raw(chat("a"), head=b"Expect: 100-continue\r\n").partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        first = await reader.readuntil(b"\r\n\r\n")
        writer.write(body)
        second = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return first + second

    said = against(options(), ask)
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_a_taken_port_is_named() -> None:
    async def ask(caller: Caller) -> None:
        with pytest.raises(LocalServerError, match=r"cannot listen on 127\.0\.0\.1:"):
            async with simulated_here(options(port=caller.provider.port)):
                pass

    against(options(), ask)


def test_a_child_process_serves_is_changed_and_judges(tmp_path: Path) -> None:
    async def main() -> None:
        told = options(allowance=Allowance(rpm=6000), faults={"503": 0.0})
        async with simulated_server(told, tmp_path / "log") as server:
            await server.change_limits(rpm=60)
            with pytest.raises(LocalServerError, match="positive"):
                await server.change_limits(rpm=-1)
            await server.start_outage(0.0)
            verdict = await server.verdict()
            assert verdict.requests == 0
            assert verdict.limits["requests"].limit == 60
        with pytest.raises(LocalServerError, match="died with exit status"):
            await server.verdict()

    anyio.run(main)


def test_a_child_that_cannot_listen_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with simulated_here(options()) as taken:
            with pytest.raises(LocalServerError, match="cannot listen"):
                async with simulated_server(options(port=taken.port), tmp_path / "log"):
                    pass

    anyio.run(main)


def test_options_that_make_no_sense_are_refused_before_anything_starts(tmp_path: Path) -> None:
    async def main(wrong: SimulatedOptions) -> None:
        with pytest.raises(SettingsError):
            async with simulated_server(wrong, tmp_path / "log"):
                pass

    for wrong in (
        options(allowance=Allowance(rpm=0)),
        options(latency=Latency(first=-1)),
        options(faults={"500": 0.7, "503": 0.7}),
    ):
        anyio.run(main, wrong)
    assert not (tmp_path / "log").exists()


def test_the_child_dies_with_its_parent_however_that_dies(tmp_path: Path) -> None:
    program = (
        "import anyio, sys\n"
        "from pathlib import Path\n"
        "from asyncgen.endpoints.simulated import SimulatedOptions, simulated_server\n"
        "async def main():\n"
        "    async with simulated_server(SimulatedOptions(), Path(sys.argv[1])) as server:\n"
        "        print(server.pid, flush=True)\n"
        "        await anyio.sleep_forever()\n"
        "anyio.run(main)\n"
    )
    arguments = [sys.executable, "-c", program, str(tmp_path / "log")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()

    with contextlib.suppress(psutil.NoSuchProcess):
        # Raises if it has not ended by then.
        psutil.Process(pid).wait(20)
    assert not psutil.pid_exists(pid)
