"""The server over loopback: nothing without the token, text as text, raters side by side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from rate.material import HOSTILE, write_study

from asyncgen.errors import LocalServerError
from asyncgen.rate.desk import Desk
from asyncgen.rate.job import opened
from asyncgen.rate.responses import read_responses
from asyncgen.rate.server import serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from asyncgen.rate.store import RatingStore

TOKEN = "a-token"  # noqa: S105 - of a test


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RatingStore]:
    with opened(tmp_path / "out", read_responses(write_study(tmp_path)), None) as (made, _):
        yield made


class Caller:
    """Asks a server."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url
        self.root = url.removesuffix(f"{TOKEN}/")

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        """Ask with the token."""
        async with self.session.post(self.url + path, json=body) as answer:
            return answer.status, await answer.json()

    async def rate_all(self, name: str, level: str, other: asyncio.Event) -> list[int]:
        """Rate everything, letting the other rater have a turn between two."""
        seen: list[int] = []
        _, turn = await self.post("begin", {"rater": name})
        while turn["item"] is not None:
            seen.append(turn["item"]["number"])
            body = {"rater": name, "response": seen[-1], "level": level}
            status, turn = await self.post("rate", body)
            assert status == 200
            other.set()
        return seen


def asking(store: RatingStore, check: Callable[[Caller], Awaitable[None]]) -> None:
    async def run() -> None:
        async with (
            serving(Desk(store), TOKEN, "127.0.0.1", 0) as page,
            aiohttp.ClientSession() as session,
        ):
            await check(Caller(session, page.url))

    asyncio.run(run())


def test_every_request_needs_the_token(store: RatingStore) -> None:
    paths = ("", "wrong/", "a-token-and-more/", "favicon.ico", "%61-tokem/", "/a-token/")

    async def check(caller: Caller) -> None:
        for path in paths:
            async with caller.session.get(caller.root + path) as answer:
                assert answer.status == 403, path
                assert "reference" not in await answer.text()
        for act in ("begin", "rate", "undo"):
            address = f"{caller.root}wrong/{act}"
            async with caller.session.post(address, json={"rater": "Eve"}) as answer:
                assert answer.status == 403
        async with caller.session.get(caller.url) as answer:
            assert answer.status == 200

    asking(store, check)
    assert store.raters() == []


def test_every_response_is_kept_from_running_anything(store: RatingStore) -> None:
    async def check(caller: Caller) -> None:
        for address in (caller.url, caller.root, caller.url + "nothing"):
            async with caller.session.get(address) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "require-trusted-types-for 'script'" in policy
                assert "unsafe" not in policy
                assert "*" not in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Cache-Control"] == "no-store"
                assert answer.headers["Referrer-Policy"] == "no-referrer"

    asking(store, check)


def test_what_a_model_wrote_comes_as_json_and_never_in_the_page(store: RatingStore) -> None:
    async def check(caller: Caller) -> None:
        async with caller.session.get(caller.url) as answer:
            page = await answer.text()
        assert all(one not in page for one in HOSTILE)
        async with caller.session.post(caller.url + "begin", json={"rater": "Ada"}) as answer:
            assert answer.content_type == "application/json"

    asking(store, check)


def test_two_raters_at_once_each_rate_everything(store: RatingStore) -> None:
    sequences: list[list[int]] = []

    async def check(caller: Caller) -> None:
        begun = asyncio.Event()
        sequences.extend(
            await asyncio.gather(
                caller.rate_all("Ada", "A", begun), caller.rate_all("Bob", "D", begun)
            )
        )

    asking(store, check)
    numbers = sorted(store.responses())
    assert [sorted(one) for one in sequences] == [numbers, numbers]
    assert sequences[0] != sequences[1]
    names = {rater.number: rater.name for rater in store.raters()}
    given = {name: set(store.given(number).values()) for number, name in names.items()}
    assert given == {"Ada": {"A"}, "Bob": {"D"}}


@pytest.mark.parametrize(
    ("act", "body", "status", "problem"),
    [
        ("begin", {"rater": ""}, 400, "1 to 60"),
        ("begin", {"name": "Ada"}, 400, "unknown field"),
        ("begin", "x" * 20_000, 413, "Too Large"),
        ("rate", {"rater": "Ada", "response": 1, "level": "E"}, 400, "no level"),
        ("rate", {"rater": "Ada", "response": "1", "level": "A"}, 400, "int"),
        ("rate", {"rater": "Eve", "response": 1, "level": "A"}, 400, "nobody"),
        ("undo", {"rater": "Ada", "response": 999}, 400, "no response"),
        ("other", {}, 404, "Not Found"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_and_changes_nothing(
    store: RatingStore, act: str, body: object, status: int, problem: str
) -> None:
    async def check(caller: Caller) -> None:
        await caller.post("begin", {"rater": "Ada"})
        found, said = await caller.post(act, body)
        assert (found, problem in said["error"]) == (status, True), said

    asking(store, check)
    assert store.given(1) == {}


def test_a_rating_that_cannot_be_written_is_not_acknowledged(store: RatingStore) -> None:
    async def check(caller: Caller) -> None:
        _, turn = await caller.post("begin", {"rater": "Ada"})
        body = {"rater": "Ada", "response": turn["item"]["number"], "level": "A"}
        store._connection.execute("PRAGMA query_only = ON")
        status, said = await caller.post("rate", body)
        assert (status, "cannot be kept" in said["error"]) == (503, True)
        store._connection.execute("PRAGMA query_only = OFF")
        status, turn = await caller.post("rate", body)
        assert (status, turn["rated"]) == (200, 1)

    asking(store, check)


def test_an_address_in_use_is_named(store: RatingStore) -> None:
    async def run() -> None:
        async with serving(Desk(store), TOKEN, "127.0.0.1", 0) as page:
            port = page.port
            with pytest.raises(
                LocalServerError, match=f"cannot listen on 127.0.0.1:{port}: .*--port"
            ):
                async with serving(Desk(store), TOKEN, "127.0.0.1", port):
                    pass

    asyncio.run(run())
