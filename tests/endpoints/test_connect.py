"""From settings to open endpoints."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from endpoints.harness import failure, question, saying, send

from asyncgen.endpoints.connect import open_endpoints, timeouts_of
from asyncgen.endpoints.transport import Timeouts
from asyncgen.errors import SettingsError
from asyncgen.settings import resolve

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from asyncgen.records import Completion


def test_every_url_becomes_an_open_endpoint_with_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-1")

    async def main(urls: list[str]) -> list[Completion]:
        settings = resolve(
            {},
            {
                "endpoint": urls,
                "model": "test-model",
                "api_key_env": "MY_KEY",
            },
        )
        async with AsyncExitStack() as stack:
            endpoints = await open_endpoints(stack, settings, tmp_path / "log", lambda _: None)
            assert [endpoint.name for endpoint in endpoints] == urls
            assert all(endpoint.paid for endpoint in endpoints)
            return [(await endpoint.send(question())).completion for endpoint in endpoints]

    with saying("Rhine") as one, saying("Danube") as other:
        answers = asyncio.run(main([one.url, other.url]))

    assert [answer.text for answer in answers] == ["Rhine", "Danube"]
    assert [answer.cost for answer in answers] == [None, None]
    assert "messages" in one.bodies[0]
    assert one.headers[0]["Authorization"] == "Bearer sk-1"
    assert not (tmp_path / "log").exists()


def test_every_lane_has_its_own_key_interface_and_price(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRST", "sk-1")
    monkeypatch.setenv("SECOND", "sk-2")

    async def main(url: str) -> list[Completion]:
        entries = [
            {"url": url, "api_key_env": "FIRST", "price": {"input": 1e6, "output": 0}},
            {"url": url, "api_key_env": "SECOND", "api": "anthropic"},
        ]
        settings = resolve({"model": "test-model", "endpoints": entries}, {})
        async with AsyncExitStack() as stack:
            endpoints = await open_endpoints(stack, settings, tmp_path / "log", lambda _: None)
            return [(await endpoint.send(question())).completion for endpoint in endpoints]

    with saying("Rhine") as server:
        answers = asyncio.run(main(server.url))

    assert [answer.text for answer in answers] == ["Rhine", "Rhine"]
    assert [answer.cost for answer in answers] == [answers[0].usage.input_tokens, None]
    assert server.headers[0]["Authorization"] == "Bearer sk-1"
    assert server.headers[1]["x-api-key"] == "sk-2"
    assert "system" in server.bodies[1]


def test_time_limits_are_those_of_the_settings() -> None:
    settings = resolve(
        {"endpoint": "http://h/v1", "model": "m"},
        {"timeout": 9.0, "connect_timeout": 3.0, "first_byte_timeout": 7.0, "stall_timeout": 2.0},
    )

    assert timeouts_of(settings) == Timeouts(total=9, connect=3, first_byte=7, stall=2)


# The way there is as the environment says.


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is a server that answers whatever host it is asked for."""
    with saying("Rhine") as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        monkeypatch.delenv("no_proxy", raising=False)
        assert send("http://llm.invalid/v1").text == "Rhine"

    assert proxy.headers[0]["Host"] == "llm.invalid"


def test_a_host_that_needs_no_proxy_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with saying("Rhine") as server:
        assert send(server.url).text == "Rhine"


def test_a_proxy_of_a_kind_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://user:secret@proxy.invalid:1080")
    monkeypatch.delenv("no_proxy", raising=False)
    error = failure("http://llm.invalid/v1", SettingsError)

    assert str(error).startswith("$http_proxy: only http and https proxies can be used")
    assert "secret" not in str(error)


def test_no_password_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys come from the environment alone."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with saying("Rhine") as server:
        send(server.url)

    assert "Authorization" not in server.headers[0]
