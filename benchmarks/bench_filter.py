"""The similarity filter against rapidfuzz: same run, same texts, one thread, as ratios.

    python benchmarks/bench_filter.py [CORPUS] [--pools 200,5000,52000] [--json]

CORPUS is JSON lines with a field "instruction", gzip or plain; without it a seeded synthetic
corpus is made. The first N texts are the pool, the next ones the candidates. asyncgen is timed
from text to answer; rapidfuzz gets the texts encoded: `cdist` over lists of ints, 256 candidates
a call with the cut-off given (its best), and `extractOne` over strings of one code point a token
(as people use it). Decisions are compared with brute force under the reference's float.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz.distance import Indel, LCSseq
from rapidfuzz.process import cdist, extractOne

from asyncgen_kernels import Pool, Vocabulary, tokenize, warm_up

if TYPE_CHECKING:
    from collections.abc import Callable

THRESHOLD = 0.7
CANDIDATES = 256
FEW = 16  # candidates for the slow contender

START = """
import time
begun = time.perf_counter()
import asyncgen_kernels
imported = time.perf_counter()
asyncgen_kernels.warm_up()
print(imported - begun, time.perf_counter() - imported)
"""


def synthetic(count: int, seed: int = 42) -> list[str]:
    """Zipf's words, 4 to 40 a text; every fourth text is an edited copy of an earlier one."""
    chance = random.Random(seed)
    weights = np.cumsum(1 / np.arange(1, 20_001)).tolist()
    texts: list[list[int]] = []
    for number in range(count):
        if number % 4 == 3:
            text = list(chance.choice(texts))
            for _ in range(chance.randint(0, 5)):
                text[chance.randrange(len(text))] = chance.randrange(20_000)
        else:
            length = min(40, 4 + int(chance.expovariate(1 / 12)))
            text = chance.choices(range(20_000), cum_weights=weights, k=length)
        texts.append(text)

    return [" ".join(f"w{word}" for word in text) for text in texts]


def read(path: Path) -> list[str]:
    """The corpus's instructions, in order."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["instruction"] for line in lines]


def starts() -> dict[str, float]:
    """Seconds in a fresh interpreter: the import, and the warm-up without and with a cache."""
    with tempfile.TemporaryDirectory() as cache:
        runs = [
            subprocess.run(
                [sys.executable, "-c", START],
                env={**os.environ, "NUMBA_CACHE_DIR": cache},
                capture_output=True,
                text=True,
                check=True,
            ).stdout.split()
            for _ in range(2)
        ]

    cold, cached = ([float(number) for number in run] for run in runs)
    return {"import_s": cached[0], "cold_warm_up_s": cold[1], "cached_warm_up_s": cached[1]}


def micros(work: Callable[[], object], candidates: int, repeats: int = 3) -> float:
    """Microseconds a candidate, the least of the repeats."""
    times: list[float] = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)

    return min(times) / candidates * 1e6


def brute_force(candidates: list[list[int]], pool: list[list[int]]) -> list[bool]:
    """The reference's decisions: LCS by rapidfuzz, F in rouge_score's order of operations."""
    lcs = cdist(candidates, pool, scorer=LCSseq.similarity, dtype=np.int32)
    m = np.array([max(len(text), 1) for text in candidates])[:, None]
    n = np.array([max(len(text), 1) for text in pool])[None, :]
    precision, recall = lcs / m, lcs / n
    with np.errstate(invalid="ignore"):
        scores = 2 * precision * recall / (precision + recall)

    return [bool(best) for best in np.any(scores > THRESHOLD, axis=1)]


def measure(texts: list[str], size: int) -> dict[str, float]:
    """All contenders on one pool of the first `size` texts."""
    candidates = texts[size : size + CANDIDATES]
    pool = Pool(THRESHOLD)
    begun = time.perf_counter()
    for text in texts[:size]:
        pool.add(text)
    add = (time.perf_counter() - begun) / size * 1e6

    words = Vocabulary()
    ids = [words.encode(text).tolist() for text in texts[: size + CANDIDATES]]
    entries, queries = ids[:size], ids[size:]
    strings = ["".join(chr(0x10000 + token) for token in text) for text in ids]
    known, asked = strings[:size], strings[size : size + FEW]
    scorer = Indel.normalized_similarity

    def one_by_one() -> None:
        for text in asked:
            extractOne(text, known, scorer=scorer, score_cutoff=THRESHOLD)

    ours = [pool.nearest(text).score > THRESHOLD for text in candidates]
    agreed = sum(a == b for a, b in zip(ours, brute_force(queries, entries), strict=True))
    return {
        "pool": size,
        "mean_tokens": pool.snapshot().tokens / size,
        "bytes_per_entry": pool.snapshot().bytes / size,
        "agreement": agreed / len(candidates),
        "rejected": sum(ours) / len(candidates),
        "tokenize_us": micros(lambda: [tokenize(text) for text in candidates], CANDIDATES),
        "add_us": add,
        "nearest_us": micros(lambda: [pool.nearest(text) for text in candidates], CANDIDATES),
        "scan_us": micros(lambda: [pool.scan(text) for text in candidates], CANDIDATES),
        "cdist_us": micros(
            lambda: cdist(queries, entries, scorer=scorer, score_cutoff=THRESHOLD), CANDIDATES
        ),
        "extract_one_us": micros(one_by_one, FEW),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("corpus", nargs="?", type=Path)
    parser.add_argument("--pools", default="200,5000,52000", help="sizes, with commas between")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    sizes = [int(size) for size in chosen.pools.split(",")]
    texts = read(chosen.corpus) if chosen.corpus else synthetic(max(sizes) + CANDIDATES)
    if len(texts) < max(sizes) + CANDIDATES:
        parser.error(f"a pool of {max(sizes)} needs {max(sizes) + CANDIDATES} texts")

    about = {name: version(name) for name in ("numpy", "numba", "rapidfuzz")}
    result = {"python": platform.python_version(), "machine": platform.machine(), **about}
    start = starts()
    warm_up()
    rows = [measure(texts, size) for size in sizes]
    if chosen.json:
        print(json.dumps({**result, "start": start, "pools": rows}, indent=2))
        return

    print("  ".join(f"{name} {value}" for name, value in result.items()))
    print("  ".join(f"{name} {value:.2f}" for name, value in start.items()))
    for row in rows:
        print(f"\npool {row['pool']}")
        for name, value in row.items():
            ratio = f"  {value / row['nearest_us']:8.1f} x nearest" if name.endswith("_us") else ""
            print(f"  {name:16} {value:12.3f}{ratio}")


if __name__ == "__main__":
    main()
