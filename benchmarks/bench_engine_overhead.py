"""What the engine adds to a request: CPU microseconds beyond the bare sends, in one run.

    python benchmarks/bench_engine_overhead.py [--requests 50000] [--sleep 0.01]

Both sides send the same requests to the same scripted endpoint, which answers
after a short sleep; the bare side is as many loops as there are places, each
sending one request after the other. The engine runs with limits (too high to
bind), window, retries and cost accounting on; nothing is journaled.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import TYPE_CHECKING

from asyncgen.endpoints.scripted import ScriptedEndpoint
from asyncgen.engine import Engine, EngineOptions, Lane, Limits
from asyncgen.records import Completion, Prompt, Request, Sampling, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine
    from typing import Any

    from asyncgen.records import Answer, Stage

_ANSWER = Completion(
    text="an answer",
    finish_reason="stop",
    usage=Usage(input_tokens=250, output_tokens=60),
    cost=0.0001,
)
_LIMITS = Limits(rpm=6e7, input_tpm=6e10, output_tpm=6e10)


def _endpoint(sleep: float) -> ScriptedEndpoint:
    return ScriptedEndpoint(
        lambda _request, _attempt: _ANSWER,
        delay=lambda _request, _attempt: sleep,
        worst_cost=0.0001,
    )


def _requests(number: int) -> list[Request]:
    prompt = Prompt("f" * 800, "v" * 200)
    return [Request("generation", str(key), prompt, Sampling()) for key in range(number)]


async def _bare(requests: list[Request], places: int, sleep: float) -> int:
    endpoint, left, answers = _endpoint(sleep), iter(requests), 0

    async def loop() -> None:
        nonlocal answers
        for request in left:
            await endpoint.send(request)
            answers += 1

    async with asyncio.TaskGroup() as tasks:
        for _ in range(places):
            tasks.create_task(loop())
    return answers


class _Listed:
    """A source of all requests, finished when all are answered."""

    def __init__(self, requests: list[Request]) -> None:
        self._left = iter(requests)
        self._wanted = len(requests)
        self.answers = 0

    @property
    def finished(self) -> bool:
        """Whether all are answered."""
        return self.answers >= self._wanted

    def next_request(self, _stages: Collection[Stage] | None = None, /) -> Request | None:
        """Hand over the next."""
        return next(self._left, None)

    async def deliver(self, _answer: Answer) -> None:
        """Count an answer."""
        self.answers += 1


async def _engine(requests: list[Request], places: int, sleep: float) -> int:
    source = _Listed(requests)
    options = EngineOptions(max_in_flight=places, max_cost=1e9)
    await Engine([Lane(_endpoint(sleep), _LIMITS)], source.deliver, options).run(source)
    return source.answers


def _microseconds(
    way: Callable[[list[Request], int, float], Coroutine[Any, Any, int]],
    number: int,
    places: int,
    sleep: float,
) -> float:
    """Return the CPU time per request of one run."""
    requests = _requests(number)
    begin = time.process_time()
    answers = asyncio.run(way(requests, places, sleep))
    spent = time.process_time() - begin
    if answers != number:
        raise SystemExit(f"{answers} of {number} requests answered")
    return spent / number * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What the engine adds to a request.")
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--sleep", type=float, default=0.01, help="seconds an answer takes")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for places in (512, 2000):
        pairs = [
            tuple(
                _microseconds(way, given.requests, places, given.sleep) for way in (_bare, _engine)
            )
            for _ in range(given.rounds)
        ]
        bare, engine = (min(one) for one in zip(*pairs, strict=True))
        print(
            f"{places} in flight, {given.requests} requests: bare {bare:.1f} µs, "
            f"engine {engine:.1f} µs of CPU a request: {engine - bare:.1f} µs more"
        )


if __name__ == "__main__":
    main()
