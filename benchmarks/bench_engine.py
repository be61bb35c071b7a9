"""The engine against its peers: requests/s, CPU, and memory of a client on one core.

    python benchmarks/bench_engine.py [--contenders asyncgen,asyncgen+journal]
        [--in-flight 512,2000] [--requests 20000] [--peer-requests 1500] [--rounds 1] [--json]

Each contender runs in a fresh process on the first core; a simulated provider, started anew
for it, runs on the last. Prompts and answers of 1 KB, 0.2 s latency, the provider names its
limits in headers. All use uvloop. Measured is from the time on when as many answers have come
as are in flight, until the requests are answered.

The engine counts limits (set above what is reached), adapts its window, would retry, and
prices every answer under a cap on the cost. "asyncgen+journal" also has every answer durable in a
journal, in the working directory, before it counts it. The others do none of that.

CPU is the client's own, all threads, by the process's clock. "bytes a request" is what its
resident memory grew by from before the load, divided by the requests in flight.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import psutil
from peers import CONTENDERS, Meter, Task
from rich.console import Console
from rich.table import Table

from asyncgen.endpoints.simulated import Allowance, Latency, SimulatedOptions, simulated_server
from asyncgen.endpoints.simulated.child import fastest_loop

LATENCY = 0.2  # seconds
ANSWER_TOKENS = 256
MANY = 6e9  # requests or tokens a minute
FAST = {"aiohttp", "asyncgen", "asyncgen+journal"}
PATIENCE = 600.0  # seconds for one contender


@dataclass(frozen=True)
class Result:
    """One contender at one number of requests in flight.

    Attributes:
        cpu_ms: CPU milliseconds a request.
        peak: Bytes of resident memory at most.
        idle: Bytes before the load.
        per_request: Bytes by which memory grew, for each request in flight.
        most_in_flight: As the provider saw it.
        load: Of the machine, over the last minute.
    """

    contender: str
    in_flight: int
    requests: int
    per_second: float
    cpu_ms: float
    peak: int
    per_request: float
    most_in_flight: int
    load: float


def run_contender(name: str, task: Task) -> None:
    """Be the contender's process: ask, and print what was measured as one JSON line."""
    # So that it imports, compiles and opens nothing of this within what is measured.
    meter = Meter(task)

    async def run() -> None:
        await CONTENDERS[name](task, meter)

    with asyncio.Runner(loop_factory=fastest_loop()) as runner:
        runner.run(run())
    seconds, cpu, grown = meter.read()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "grown": grown, "peak": peak}))


async def measure(name: str, in_flight: int, requests: int, log: Path) -> Result:
    """Start a provider on the last core and a contender on the first."""
    options = SimulatedOptions(
        latency=Latency(first=LATENCY),
        allowance=Allowance(rpm=MANY, tpm=MANY),
        answer_tokens=ANSWER_TOKENS,
    )
    cores = sorted(os.sched_getaffinity(0))
    async with simulated_server(options, log) as server:
        psutil.Process(server.pid).cpu_affinity(cores[-1:])
        task = Task(server.base_url, in_flight, in_flight, requests)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            __file__,
            *("--contender", name, "--task", json.dumps(asdict(task))),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        psutil.Process(process.pid).cpu_affinity(cores[:1])
        async with asyncio.timeout(PATIENCE):
            said, complaints = await process.communicate()
        if process.returncode:
            sys.exit(f"{name}: {complaints.decode()[-2000:]}")
        verdict = await server.verdict()
    found = json.loads(said.splitlines()[-1])
    return Result(
        contender=name,
        in_flight=in_flight,
        requests=requests,
        per_second=requests / found["seconds"],
        cpu_ms=1000 * found["cpu"] / requests,
        peak=found["peak"],
        per_request=found["grown"] / in_flight,
        most_in_flight=verdict.most_in_flight,
        load=os.getloadavg()[0],
    )


def median_of(results: list[Result]) -> Result:
    """Return the round of the median CPU time."""
    middle = median(result.cpu_ms for result in results)
    return min(results, key=lambda result: abs(result.cpu_ms - middle))


def table(results: list[Result]) -> Table:
    """Return the results beside the floor's."""
    found = Table(title=f"{LATENCY:g} s latency, 1 KB prompts and answers, one core")
    found.add_column("contender")
    for heading in (
        *("in flight", "requests", "requests/s", "CPU-ms a request", "x aiohttp's CPU"),
        *("asyncgen's requests/s x", "peak MB", "bytes a request", "load"),
    ):
        found.add_column(heading, justify="right")
    by_place = {(result.contender, result.in_flight): result for result in results}
    for one in results:
        floor = by_place.get(("aiohttp", one.in_flight))
        ours = by_place.get(("asyncgen", one.in_flight))
        found.add_row(
            one.contender,
            f"{one.most_in_flight:,}",
            f"{one.requests:,}",
            f"{one.per_second:,.0f}",
            f"{one.cpu_ms:.3f}",
            f"{one.cpu_ms / floor.cpu_ms:.2f}" if floor else "",
            f"{ours.per_second / one.per_second:.1f}" if ours else "",
            f"{one.peak / 1e6:.0f}",
            f"{one.per_request:,.0f}",
            f"{one.load:.1f}",
        )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contenders", default=",".join(CONTENDERS))
    parser.add_argument("--in-flight", default="512,2000")
    parser.add_argument("--requests", type=int, default=20_000, help="of aiohttp and asyncgen")
    parser.add_argument("--peer-requests", type=int, default=1500, help="of the others")
    parser.add_argument("--rounds", type=int, default=1, help="the median of so many, by turns")
    parser.add_argument("--json", action="store_true", help="one JSON list of all rounds")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        run_contender(arguments.contender, Task(**arguments.task))
        return
    names = arguments.contenders.split(",")
    if unknown := set(names) - set(CONTENDERS):
        parser.error(f"no contender {', '.join(unknown)}; there are: {', '.join(CONTENDERS)}")
    places = [int(one) for one in arguments.in_flight.split(",")]
    rounds: dict[tuple[str, int], list[Result]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.rounds):
            for in_flight in places:
                for name in names:
                    count = arguments.requests if name in FAST else arguments.peer_requests
                    result = asyncio.run(measure(name, in_flight, count, Path(folder) / "log"))
                    rounds.setdefault((name, in_flight), []).append(result)
    if arguments.json:
        print(json.dumps([asdict(one) for found in rounds.values() for one in found], indent=1))
    else:
        Console(width=140).print(table([median_of(found) for found in rounds.values()]))


if __name__ == "__main__":
    main()
