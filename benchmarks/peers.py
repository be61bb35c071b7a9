"""The engine and its peers, each asking the same questions of one service.

What a contender needs is imported when it runs: each has a process of its own,
and its memory is measured.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from asyncgen.records import Answer, Request, Stage

__all__ = ["CONTENDERS", "Meter", "Task"]

FIXED = "You are given a task. Do what it says, and say nothing else. " * 13
VARIABLE = "Say in two sentences what lightning is. " * 5
MAX_TOKENS = 1024
FREELY = 6e9
"""Requests or tokens a minute: a limit that is counted, but never reached."""


@dataclass(frozen=True)
class Task:
    """What one contender is to do.

    Attributes:
        in_flight: Requests to keep open.
        warm_up: Answers before the measuring begins.
        requests: Answers to measure.
    """

    base_url: str
    in_flight: int
    warm_up: int
    requests: int


class Meter:
    """Counts answers; reads the clocks when the measuring begins and when it ends."""

    def __init__(self, task: Task) -> None:
        self._process = psutil.Process()
        self._first, self._last = task.warm_up, task.warm_up + task.requests
        self._answers = 0
        self._begun = self._ended = (0.0, 0.0)
        self._rss_before = self._process.memory_info().rss
        self._rss = 0
        self.asked = 0

    @property
    def done(self) -> bool:
        """Whether enough was measured."""
        return self._answers >= self._last

    def next(self) -> int:
        """Return the number of the next request."""
        self.asked += 1
        return self.asked

    def count(self, text: str | None) -> None:
        """Count an answer."""
        if not text:
            raise RuntimeError("an answer without text")
        self._answers += 1
        if self._answers == self._first:
            self._begun = time.perf_counter(), time.process_time()
        elif self._answers == self._last:
            self._ended = time.perf_counter(), time.process_time()
            self._rss = self._process.memory_info().rss

    def read(self) -> tuple[float, float, int]:
        """Return the seconds and CPU seconds measured, and the bytes that the load took."""
        seconds, cpu = (last - first for first, last in zip(self._begun, self._ended, strict=True))
        return seconds, cpu, self._rss - self._rss_before


async def keep_asking(
    task: Task, meter: Meter, ask: Callable[[int], Awaitable[str | None]]
) -> None:
    """Keep as many requests open as told, until enough was measured."""

    async def worker() -> None:
        while not meter.done:
            meter.count(await ask(meter.next()))

    async with asyncio.TaskGroup() as workers:
        for _ in range(task.in_flight):
            workers.create_task(worker())


def messages(number: int) -> list[Any]:
    """Return a prompt of 1 KB, like no other."""
    return [
        {"role": "system", "content": FIXED},
        {"role": "user", "content": f"{number:08d} {VARIABLE}"},
    ]


def body(number: int) -> dict[str, Any]:
    """Return the body of a request."""
    asked = {"messages": messages(number), "max_tokens": MAX_TOKENS, "temperature": 0.7}
    return {"model": "simulated", **asked}


async def raw_aiohttp(task: Task, meter: Meter) -> None:
    """The floor: aiohttp and orjson, nothing counted, nothing retried."""
    import aiohttp
    import orjson

    url = f"{task.base_url}/chat/completions"
    headers = {"Authorization": "Bearer sk-none", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:

        async def ask(number: int) -> str:
            async with session.post(url, data=orjson.dumps(body(number))) as response:
                answer = orjson.loads(await response.read())
                return str(answer["choices"][0]["message"]["content"])

        await keep_asking(task, meter, ask)


async def httpx(task: Task, meter: Meter) -> None:
    """Plain httpx and orjson."""
    import httpx
    import orjson

    url = f"{task.base_url}/chat/completions"
    headers = {"Authorization": "Bearer sk-none", "Content-Type": "application/json"}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(limits=limits, timeout=None, headers=headers) as client:  # noqa: S113

        async def ask(number: int) -> str:
            response = await client.post(url, content=orjson.dumps(body(number)))
            return str(orjson.loads(response.content)["choices"][0]["message"]["content"])

        await keep_asking(task, meter, ask)


async def openai(task: Task, meter: Meter) -> None:
    """OpenAI's own client; its pool as large as needed."""
    import httpx2
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with AsyncOpenAI(
        base_url=task.base_url,
        api_key="sk-none",
        max_retries=0,
        http_client=DefaultAsyncHttpxClient(limits=limits),
    ) as client:

        async def ask(number: int) -> str | None:
            answer = await client.chat.completions.create(
                model="simulated",
                messages=messages(number),
                max_tokens=MAX_TOKENS,
                temperature=0.7,
            )
            return answer.choices[0].message.content

        await keep_asking(task, meter, ask)


async def litellm(task: Task, meter: Meter) -> None:
    """The usual adapter to every provider."""
    # Else it fetches its prices over the network while it is imported.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True

    async def ask(number: int) -> str | None:
        answer: Any = await litellm.acompletion(
            model="openai/simulated",
            messages=messages(number),
            api_base=task.base_url,
            api_key="sk-none",
            max_tokens=MAX_TOKENS,
            temperature=0.7,
            max_retries=0,
        )
        content: str | None = answer.choices[0].message.content
        return content

    await keep_asking(task, meter, ask)


class _Questions:
    """A source that never runs dry before enough was measured."""

    def __init__(self, meter: Meter) -> None:
        from asyncgen.records import Prompt, Request, Sampling

        self._meter = meter
        self._sampling = Sampling(max_output_tokens=MAX_TOKENS, temperature=0.7)
        self._prompt, self._request = Prompt, Request

    @property
    def finished(self) -> bool:
        """Whether enough was measured."""
        return self._meter.done

    def next_request(self, _stages: Collection[Stage] | None = None, /) -> Request:
        """Hand over a request like no other."""
        number = self._meter.next()
        prompt = self._prompt(FIXED, f"{number:08d} {VARIABLE}")
        return self._request("generation", str(number), prompt, self._sampling)


async def asyncgen(task: Task, meter: Meter) -> None:
    """The engine over its endpoint: limits, window, retries and costs are on, no journal."""

    async def deliver(answer: Answer) -> None:
        meter.count(answer.completion.text)

    await _engine(task, meter, deliver)


async def journaled(task: Task, meter: Meter) -> None:
    """The same, and every answer durable in a journal before it counts."""
    from asyncgen.journal import Journal

    # Not where temporary files are: that may be memory.
    with (
        TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder,
        Journal(Path(folder) / "journal.db") as journal,
    ):

        async def deliver(answer: Answer) -> None:
            await journal.append(answer)
            meter.count(answer.completion.text)

        await _engine(task, meter, deliver)


async def _engine(task: Task, meter: Meter, deliver: Callable[[Answer], Awaitable[None]]) -> None:
    from asyncgen.endpoints.connect import open_endpoints
    from asyncgen.engine import Engine, EngineOptions, Lane, Limits
    from asyncgen.settings import EndpointSettings, Price, Settings

    settings = Settings(
        endpoints=(EndpointSettings(url=task.base_url, price=Price(input=0.15, output=0.6)),),
        model="simulated",
        rpm=FREELY,
        tpm=FREELY,
        max_in_flight=task.in_flight,
        max_cost=1e9,
    )

    async with AsyncExitStack() as stack:
        endpoints = await open_endpoints(stack, settings, Path(os.devnull), print)
        limits = Limits(rpm=settings.rpm, tpm=settings.tpm)
        lanes = [Lane(endpoint, limits) for endpoint in endpoints]
        options = EngineOptions(max_in_flight=task.in_flight, max_cost=settings.max_cost)
        await Engine(lanes, deliver, options).run(_Questions(meter))


CONTENDERS: dict[str, Callable[[Task, Meter], Awaitable[None]]] = {
    "aiohttp": raw_aiohttp,
    "asyncgen": asyncgen,
    "asyncgen+journal": journaled,
    "httpx": httpx,
    "openai": openai,
    "litellm": litellm,
}
"""By name; the first is the floor."""
