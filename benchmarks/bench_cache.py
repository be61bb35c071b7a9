"""What a shared cache costs: looking up on the event loop, keeping, and whole runs out of it.

    python benchmarks/bench_cache.py [--answers 50000]

Prompts are those of a run of 1,000 tasks. A second process writes all the while, as another run
would. The whole run is beside one without a cache whose endpoint answers at once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from asyncgen.cache import AnswerCache, Sharing
from asyncgen.cache.store import key_of
from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.seeds import read_few_shot
from asyncgen.records import Answer, Completion, Request, Usage
from asyncgen.settings import Settings

_SECONDS = 3.0
_MODEL = "openai some-model"


def requests(count: int, salt: str) -> list[Request]:
    """Return requests of all stages, as runs ask them."""
    prompts = PromptBook(Settings(), read_few_shot())
    made: list[Request] = []
    for number in range(count):
        text = f"Explain in plain words what {salt} number {number} is good for."
        match number % 10:
            case 0:
                made.append(prompts.generation(number, [text] * 8))
            case 1 | 2 | 3 | 4:
                made.append(prompts.classification(f"{salt}_{number}", text))
            case _:
                made.append(prompts.instances(f"{salt}_{number}", text, is_classification=False))
    return made


def answered(request: Request) -> Answer:
    """Return an answer of usual length."""
    said = Completion(
        text="Input: some text\nOutput: " + "word " * 80,
        finish_reason="stop",
        usage=Usage(1000, 100),
        endpoint="api.example",
        model="some-model",
        cost=0.0002,
        started_at=1.7e9,
        seconds=1.5,
    )
    return Answer(request, said)


def keep_on(folder: Path) -> None:
    """Write for ever, sixteen answers to a commit, as a busy run does."""
    one = answered(requests(1, "other")[0]).completion
    with AnswerCache(folder) as cache:
        while True:
            cache.add([(os.urandom(32), _MODEL, one) for _ in range(16)])
            time.sleep(0.005)


def microseconds(sharing: Sharing, asked: list[Request]) -> tuple[float, float, float]:
    """Return the median, the 99th percentile and the longest of looking requests up."""
    taken: list[float] = []
    end = time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        for request in asked:
            before = time.perf_counter()
            sharing.recall(request, [_MODEL])
            taken.append((time.perf_counter() - before) * 1e6)
    return median(taken), quantiles(taken, n=100)[98], max(taken)


def lookups(folder: Path, count: int) -> None:
    """Print what a hit and a miss cost, alone and beside a writer."""
    known = requests(count, "known")
    unknown = requests(2000, "unknown")
    with AnswerCache(folder) as cache, Sharing(cache, print) as sharing:
        before = time.process_time()
        for request in known:
            sharing.keep(answered(request), _MODEL)
    print(f"keeping        {(time.process_time() - before) / count * 1e6:7.1f} µs CPU an answer")
    print(f"file           {cache.path.stat().st_size / count:7.0f} bytes an answer")
    step = max(1, count // 2000)
    with AnswerCache(folder) as cache, Sharing(cache, print) as sharing:
        keys = time.perf_counter()
        for request in unknown:
            key_of(request, _MODEL)
        print(f"of it the key  {(time.perf_counter() - keys) / len(unknown) * 1e6:7.1f} µs")
        for beside in ("alone", "beside a writer"):
            writer = subprocess.Popen([sys.executable, __file__, "--write", folder])
            if beside == "alone":
                writer.kill()
            time.sleep(1.0)
            for what, asked in (("hit", known[::step]), ("miss", unknown)):
                middle, high, longest = microseconds(sharing, asked)
                print(
                    f"{what:<5}{beside:<16} p50 {middle:6.1f} µs, p99 {high:7.1f} µs, "
                    f"longest {longest:8.0f} µs"
                )
            writer.kill()
            writer.wait()


def whole_runs(folder: Path, target: int) -> None:
    """Print how long runs take that ask, that keep what they ask, and that ask nothing."""
    for name, flags in (
        ("without a cache", []),
        ("filling one", ["--cache", str(folder / "runs")]),
        ("out of it", ["--cache", str(folder / "runs")]),
    ):
        command = [sys.executable, "-m", "asyncgen", "generate", str(folder / name)]
        command += ["--endpoint", "simulated", "--target", str(target), "--json", *flags]
        before = time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=True)
        seconds = time.perf_counter() - before
        state = json.loads(done.stdout)["status"]
        count = sum(state["answers"].values())
        print(
            f"{name:<16} {seconds:6.1f} s, {count:,} answers, "
            f"{state['recalled']['answers']:,} from the cache"
        )


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=50_000)
    parser.add_argument("--target", type=int, default=1000)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    if options.write:
        keep_on(options.write)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        lookups(Path(folder) / "cache", options.answers)
        whole_runs(Path(folder), options.target)


if __name__ == "__main__":
    main()
