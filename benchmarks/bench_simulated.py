"""How many requests a second `asyncgen serve simulated` answers on one core.

    python benchmarks/bench_simulated.py [--in-flight 2000] [--seconds 10] [--latency 0.2]
        [--answer-tokens 256] [--rpm 6e6] [--tasks]

The provider runs in its own process on one core, a client that does next to nothing on another:
it writes ready-made requests of 1 KB, each different, and only looks for the end of each answer.
With --tasks the prompts are the pipeline's, for lists of eight new tasks: the dearest to answer.

Prints requests/s as served, the provider's CPU time for each, and 1/that: what one core would
serve if the client kept up.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
import psutil

from asyncgen.endpoints.simulated import (
    Allowance,
    Latency,
    SimulatedOptions,
    simulated_server,
)
from asyncgen.endpoints.simulated.child import fastest_loop

if TYPE_CHECKING:
    from asyncgen.endpoints.simulated import Verdict

WARM_UP = 2.0  # seconds
PROMPT = 1000  # characters
TASKS = "".join(f"{number}. Say in two sentences what lightning is.\n" for number in range(1, 9))


@dataclass(frozen=True)
class Load:
    """What is asked and how hard."""

    in_flight: int
    seconds: float
    latency: float
    answer_tokens: int
    rpm: float | None
    tasks: bool


@dataclass(frozen=True)
class Measured:
    """Requests answered in a time, and the provider's CPU time meanwhile, in seconds."""

    requests: int
    seconds: float
    cpu: float


class Counter:
    """How many answers have come, and how many requests were made."""

    def __init__(self, template: bytes) -> None:
        self.before, _, self.after = template.partition(b"%%%%%%%%%")
        self.made = 0
        self.answered = 0

    def request(self) -> bytes:
        """Return the next request, like no other."""
        self.made += 1
        return b"%b%09d%b" % (self.before, self.made, self.after)


class Client(asyncio.Protocol):
    """Asks again as soon as it has its answer."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._transport: asyncio.WriteTransport | None = None
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait until all are connected."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Look whether all of the answer is there."""
        if not self._missing:
            start = data.find(b"content-length: ") + 16
            length = int(data[start : data.find(b"\r\n", start)])
            self._missing = data.find(b"\r\n\r\n") + 4 + length
        self._missing -= len(data)
        if not self._missing:
            self._counter.answered += 1
            self.ask()

    def ask(self) -> None:
        """Send the next request."""
        if self._transport is not None:
            self._transport.write(self._counter.request())


def template(load: Load) -> bytes:
    """Return a request with a place for its number."""
    prompt = f"Here is task %%%%%%%%%. {'Say more. ' * PROMPT}"[:PROMPT]
    if load.tasks:
        prompt = f"%%%%%%%%%\n{TASKS}\nContinue with tasks 9 to 16."
    body = orjson.dumps(
        {
            "model": "simulated",
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": 1024,
            "temperature": 0.7,
        }
    )
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
        "Authorization: Bearer sk-0123456789abcdef0123456789abcdef\r\nUser-Agent: bench\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def measure(load: Load, log: Path) -> tuple[Measured, Verdict]:
    """Load the provider, and look after the warm-up and at the end."""
    options = SimulatedOptions(
        latency=Latency(first=load.latency),
        allowance=Allowance(rpm=load.rpm),
        answer_tokens=load.answer_tokens,
    )
    async with simulated_server(options, log) as server:
        cores = sorted(os.sched_getaffinity(0))
        process = psutil.Process(server.pid)
        process.cpu_affinity(cores[-1:])
        os.sched_setaffinity(0, cores[:1])
        counter = Counter(template(load))
        address = urlsplit(server.base_url)
        host, port = str(address.hostname), address.port or 0
        loop = asyncio.get_running_loop()
        clients = [
            (await loop.create_connection(lambda: Client(counter), host, port))[1]
            for _ in range(load.in_flight)
        ]
        for client in clients:
            client.ask()
        await asyncio.sleep(WARM_UP)
        first, started, cpu = counter.answered, time.perf_counter(), _cpu(process)
        await asyncio.sleep(load.seconds)
        measured = Measured(
            counter.answered - first, time.perf_counter() - started, _cpu(process) - cpu
        )
        return measured, await server.verdict()


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--in-flight", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--answer-tokens", type=int, default=256)
    parser.add_argument("--rpm", type=float, default=6e6)
    parser.add_argument("--tasks", action="store_true")
    load = Load(**vars(parser.parse_args()))
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=fastest_loop()) as runner,
    ):
        measured, verdict = runner.run(measure(load, Path(folder) / "server.log"))
    share = measured.cpu / measured.seconds
    print(f"{load}")
    print(f"served         {measured.requests / measured.seconds:10,.0f} requests/s")
    print(f"provider's CPU {share:10.0%} of a core")
    print(f"CPU a request  {measured.cpu / measured.requests * 1e6:10.1f} µs")
    print(f"one core       {measured.requests / measured.cpu:10,.0f} requests/s")
    print(f"most in flight {verdict.most_in_flight:10,}; duplicates {verdict.duplicates}")


if __name__ == "__main__":
    main()
