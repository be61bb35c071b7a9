"""The embedded model's server under load: tokens, requests and start-up time.

Starts the real server for each configuration and sends two shapes of requests, 32 in flight:
`generate`, short prompts with long answers; `judge`, a fixed beginning of about 1,000 words,
a short question of its own, an answer of a few words; `choose`, the same beginning and the
likelihoods of " Yes" and " No".

    python benchmarks/bench_embedded.py [--requests 64] [--only openvino] [--json]

Prompt tokens per second count all of a prompt, also what came out of the cache.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import psutil
from rich.console import Console
from rich.table import Table

from asyncgen.endpoints.embedded import (
    EmbeddedServer,
    ModelFile,
    ServerOptions,
    embedded_server,
    find_model,
)

IN_FLIGHT = 32
CONFIGURATIONS = {
    "openvino": ServerOptions(runtime="openvino"),
    "openvino, no prefix caching": ServerOptions(runtime="openvino", prefix_caching=False),
    "llamacpp": ServerOptions(runtime="llamacpp"),
}
WORDS = [
    *("river", "poem", "number", "story", "music", "letter", "house", "tree", "light", "paper"),
    *("fox", "email", "France", "gravity", "task", "sentence", "write", "sort", "name", "first"),
    *("the", "a", "of", "to", "with", "short", "long", "answer", "explain", "count"),
]


@dataclass(frozen=True)
class Result:
    """One shape on one configuration; seconds, and tokens or requests per second.

    `cpu_seconds` are the server's own: on a machine with other work, the steadier number.
    """

    configuration: str
    shape: str
    start_up: float
    requests: int
    seconds: float
    requests_per_second: float
    output_tokens_per_second: float
    prompt_tokens_per_second: float
    cpu_seconds: float


def words(rng: random.Random, count: int) -> str:
    """Return random words."""
    return " ".join(rng.choice(WORDS) for _ in range(count))


def bodies(shape: str, count: int) -> list[dict[str, Any]]:
    """Return the request bodies of a shape, the same every time."""
    rng = random.Random(1)
    fixed = words(rng, 1000)
    if shape == "generate":
        return [
            {
                "prompt": f"Come up with a series of tasks:\n1. {words(rng, 30)}\n2.",
                "max_tokens": 128,
                "temperature": 0.7,
                "top_p": 0.9,
                "stop": ["\n16."],
                "seed": number,
            }
            for number in range(count)
        ]
    question: dict[str, Any] = {"max_tokens": 6, "temperature": 0}
    if shape == "choose":
        question |= {"logprobs": 2, "structured_outputs": {"choice": [" Yes", " No"]}}
    return [
        {"prompt": f"{fixed}\nTask: {words(rng, 15)}\nAnswer:", **question} for _ in range(count)
    ]


async def load(server: EmbeddedServer, requests: list[dict[str, Any]]) -> list[dict[str, int]]:
    """Send the requests, at most 32 in flight; return their usage."""
    usage: list[dict[str, int]] = []
    slots = anyio.Semaphore(IN_FLIGHT)

    async def send(session: aiohttp.ClientSession, body: dict[str, Any]) -> None:
        async with (
            slots,
            session.post(
                f"{server.base_url}/completions", json=body, raise_for_status=True
            ) as answer,
        ):
            usage.append((await answer.json())["usage"])

    timeout = aiohttp.ClientTimeout()
    async with aiohttp.ClientSession(timeout=timeout) as session, anyio.create_task_group() as all_:
        for body in requests:
            all_.start_soon(send, session, body)
    return usage


async def measure(name: str, model: ModelFile, shapes: list[str], count: int) -> list[Result]:
    """Start one configuration and run the shapes on it."""
    results: list[Result] = []
    log_path = Path(tempfile.gettempdir()) / "bench_embedded.log"
    started = time.perf_counter()
    async with embedded_server(model, CONFIGURATIONS[name], log_path) as server:
        start_up = time.perf_counter() - started
        process = psutil.Process(server.pid)
        await load(server, [{"prompt": "warm-up", "max_tokens": 8}])
        for shape in shapes:
            requests = bodies(shape, count)
            cpu, started = sum(process.cpu_times()[:2]), time.perf_counter()
            usage = await load(server, requests)
            seconds = time.perf_counter() - started
            results.append(
                Result(
                    configuration=name,
                    shape=shape,
                    start_up=start_up,
                    requests=count,
                    seconds=seconds,
                    requests_per_second=count / seconds,
                    output_tokens_per_second=sum(u["completion_tokens"] for u in usage) / seconds,
                    prompt_tokens_per_second=sum(u["prompt_tokens"] for u in usage) / seconds,
                    cpu_seconds=sum(process.cpu_times()[:2]) - cpu,
                )
            )
    return results


def table(results: list[Result]) -> Table:
    """Return the results as a table."""
    found = Table("configuration", "shape", title=f"{IN_FLIGHT} requests in flight")
    for heading in ("start-up s", "requests/s", "output tok/s", "prompt tok/s", "CPU s"):
        found.add_column(heading, justify="right")
    for r in results:
        found.add_row(
            r.configuration,
            r.shape,
            f"{r.start_up:.1f}",
            f"{r.requests_per_second:.2f}",
            f"{r.output_tokens_per_second:.0f}",
            f"{r.prompt_tokens_per_second:.0f}",
            f"{r.cpu_seconds:.1f}",
        )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=64, help="of each shape")
    parser.add_argument("--only", choices=CONFIGURATIONS, action="append")
    parser.add_argument(
        "--shape", choices=["generate", "judge", "choose"], action="append", dest="shapes"
    )
    parser.add_argument("--json", action="store_true", help="one JSON list instead of a table")
    arguments = parser.parse_args()
    shapes = arguments.shapes or ["generate", "judge", "choose"]
    results: list[Result] = []
    for name in arguments.only or CONFIGURATIONS:
        results += anyio.run(measure, name, find_model(), shapes, arguments.requests)
    if arguments.json:
        print(json.dumps([asdict(result) for result in results], indent=1))
    else:
        Console(width=110).print(table(results))


if __name__ == "__main__":
    main()
