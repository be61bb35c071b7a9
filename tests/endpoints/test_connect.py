"""From settings to open endpoints."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from endpoints.harness import question, saying

from asyncgen.endpoints.connect import open_endpoints
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
