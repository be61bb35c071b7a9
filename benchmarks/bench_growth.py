"""What a decision costs as the pool grows, beside rapidfuzz and MinHash, on four corpora.

    python benchmarks/bench_growth.py [--stream FILE] [--kinds zipf,markov,named,noise]
        [--sizes 50000,200000,1000000] [--large] [--peers rensa] [--out benchmarks/out]

Corpora are those of benchmarks/corpora.py; without --stream there is zipf alone. At each size the
next 4,096 texts are decided on, from tokens, 64 a call, in one thread. rapidfuzz compares up to
256 of them with up to 200,000 entries in the same run (cdist over lists of ints, a cut-off);
for larger pools its cost is in proportion. MinHash takes sets of tokens, builds sketches, looks
them up and has rapidfuzz verify what it finds; it is left out where its memory would run out.
Decisions are checked by brute force.

Writes growth.json and growth.png.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from corpora import KINDS, read, sentences, stream_of
from minhash import Contest, installed

from asyncgen.bench.growth import Step, exponent
from asyncgen.bench.ours import decisions
from asyncgen.bench.peers import rapidfuzz_cdist
from asyncgen.bench.selection import cut, learned, sampled, size
from asyncgen.bench.truth import Agreement, agreement
from asyncgen_kernels import THRESHOLD, Vocabulary, warm_up
from asyncgen_kernels.entries import EntriesView
from asyncgen_kernels.index import Index

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from corpora import Stream
    from minhash import Result
    from numpy.typing import NDArray

    from asyncgen.bench.contender import Contender
    from asyncgen.bench.timing import Spread
    from asyncgen_kernels.text import Encoded

CANDIDATES = 4096
QUERIES = 256  # of MinHash
SAMPLE = 200_000  # entries that rapidfuzz is measured on
SIZES = (50_000, 200_000, 1_000_000)
LARGE = 5_000_000


@dataclass(frozen=True)
class Point:
    """One corpus at one size.

    `load_s` are seconds from texts to decisions, all growing included; `ratio` is rapidfuzz's
    cost over ours.
    """

    kind: str
    pool: int
    tokens_per_entry: float
    vocabulary: int
    decision: Spread
    rejected: float
    agreement: Agreement
    bytes_per_entry: float
    load_s: float
    cdist: Contender
    ratio: float
    peers: list[Result]


class Corpus:
    """Texts of a kind, taken in order, with a look ahead."""

    def __init__(self, blocks: Iterator[list[str]]) -> None:
        self._blocks = blocks
        self._ahead: list[str] = []

    def ahead(self, count: int) -> list[str]:
        """Return the next texts and leave them there."""
        while len(self._ahead) < count:
            self._ahead += next(self._blocks)
        return self._ahead[:count]

    def take(self, count: int) -> Iterator[list[str]]:
        """Return the next texts, a block at a time."""
        while count > 0:
            texts = self.ahead(1) and self._ahead[:count]
            del self._ahead[: len(texts)]
            count -= len(texts)
            yield texts


class Growing:
    """An index under measurement, and the peers beside it."""

    def __init__(self, kind: str, corpus: Corpus, peers: list[str]) -> None:
        self._kind = kind
        self._corpus = corpus
        self._vocabulary = Vocabulary()
        self._index = Index(THRESHOLD)
        self._contest = Contest(peers, THRESHOLD)
        self._load_s = 0.0

    def grow(self, entries: int) -> None:
        """Append texts until there are so many."""
        for texts in self._corpus.take(entries - len(self._index)):
            begun = time.perf_counter()
            encoded = learned(self._vocabulary, texts)
            self._index.append(encoded)
            self._load_s += time.perf_counter() - begun
            self._contest.add(arrays(encoded))
        begun = time.perf_counter()
        self._index.settle(len(self._vocabulary))
        self._load_s += time.perf_counter() - begun

    def measure(self) -> Point:
        """Measure all at the size reached."""
        candidates = learned(self._vocabulary, self._corpus.ahead(CANDIDATES))
        decision = decisions(self._index, candidates)
        view = self._index.view()
        found = self._index.search(candidates)
        few = sampled(candidates, QUERIES)
        rejected = self._index.search(few).nearest >= 0
        cdist = rapidfuzz_cdist(candidates, EntriesView(*sampled(view, SAMPLE)), THRESHOLD)
        us = cdist.ns_per_pair * size(view) / 1000
        return Point(
            kind=self._kind,
            pool=size(view),
            tokens_per_entry=view.tokens.size / size(view),
            vocabulary=len(self._vocabulary),
            decision=decision,
            rejected=float((found.nearest >= 0).mean()),
            agreement=agreement(candidates, found, view, THRESHOLD),
            bytes_per_entry=self._index.nbytes / size(view),
            load_s=self._load_s,
            cdist=cdist,
            ratio=us / decision.mean_us,
            peers=self._contest.results(
                arrays(few), rejected, lambda entry: cut(view, entry, entry + 1).tokens
            ),
        )


def arrays(texts: Encoded) -> list[NDArray[np.int32]]:
    """Return the tokens of each text."""
    bounds = texts.offsets.tolist()
    return [texts.tokens[start:end] for start, end in pairwise(bounds)]


def curve(kind: str, sizes: list[int], stream: Stream | None, peers: list[str]) -> list[Point]:
    """Measure one corpus at all sizes, printing each."""
    corpus = Corpus(sentences(kind, sizes[-1] + CANDIDATES, stream=stream))
    growing = Growing(kind, corpus, peers)
    points: list[Point] = []
    for entries in sizes:
        growing.grow(entries)
        points.append(growing.measure())
        print(line(points[-1]), flush=True)

    steps = [Step(point.pool, point.decision.mean_us) for point in points]
    each = [exponent(pair) for pair in pairwise(steps)]
    powers = ", ".join(f"{power:.2f}" for power in each if power is not None)
    whole = exponent(steps)
    if whole is not None:
        print(f"{kind:<8}exponent {whole:.2f}; step by step {powers}\n", flush=True)
    return points


HEADING = (
    f"{'corpus':<8}{'pool':>10}{'µs':>8}{'p50':>8}{'p99':>8}{'cdist ns/pair':>15}{'ratio':>9}"
    f"{'B/entry':>9}{'load s':>8}{'rejected':>10}{'agree':>8}"
    "  MinHash: µs, verified, recall, false finds"
)


def line(point: Point) -> str:
    """Return a measurement as a row under HEADING."""
    took = point.decision
    peers = "; ".join(
        f"{peer.name} {peer.us_per_candidate:.0f}, {peer.verified_us:.0f}, {peer.recall:.3f}, "
        f"{peer.false_finds:.3f}"
        for peer in point.peers
    )
    return (
        f"{point.kind:<8}{point.pool:>10,}{took.mean_us:>8.2f}{took.p50_us:>8.2f}"
        f"{took.p99_us:>8.2f}{point.cdist.ns_per_pair:>15.1f}{point.ratio:>9,.0f}"
        f"{point.bytes_per_entry:>9.0f}{point.load_s:>8.1f}{point.rejected:>10.1%}"
        f"{point.agreement.decisions:>8.1%}  {peers}"
    )


def draw(points: list[Point], path: Path) -> None:
    """Plot cost against the size of the pool, both logarithmic."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 6), layout="constrained")
    colours: dict[str, str] = dict(
        zip(KINDS, ("tab:blue", "tab:orange", "tab:red", "tab:green"), strict=True)
    )
    for kind in dict.fromkeys(point.kind for point in points):
        own = [point for point in points if point.kind == kind]
        pools, colour = [point.pool for point in own], colours[kind]
        ours = [point.decision.mean_us for point in own]
        cdist = [point.decision.mean_us * point.ratio for point in own]
        axes.plot(pools, ours, "o-", color=colour, label=f"asyncgen, {kind}")
        axes.plot(pools, cdist, "s--", color=colour, label=f"rapidfuzz cdist, {kind}")
        for name in dict.fromkeys(peer.name for point in own for peer in point.peers):
            found = [(p.pool, q) for p in own for q in p.peers if q.name == name]
            recall = min(peer.recall for _, peer in found)
            axes.plot(
                [pool for pool, _ in found],
                [peer.verified_us for _, peer in found],
                "^:",
                color=colour,
                label=f"{name}, verified (recall {recall:.2f}), {kind}",
            )
    axes.set(xscale="log", yscale="log", xlabel="entries of the pool", ylabel="µs a decision")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--stream", type=Path, help="the real corpus that all but zipf need")
    parser.add_argument("--kinds", help="with commas between; default: all that can be made")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="rising")
    parser.add_argument("--large", action="store_true", help=f"go on to {LARGE:,}")
    parser.add_argument("--peers", help="with commas between; default: rensa where installed")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out")
    asked = parser.parse_args()
    asked.kinds = asked.kinds.split(",") if asked.kinds else KINDS if asked.stream else ["zipf"]
    there = installed()
    asked.peers = [name for name in (asked.peers or "").split(",") if name]
    if not asked.peers:
        asked.peers = [name for name in there if name == "rensa"]
    for name in [*set(asked.kinds) - set(KINDS), *set(asked.peers) - set(there)]:
        parser.error(f"{name}: is unknown or not installed")
    if not asked.stream and set(asked.kinds) != {"zipf"}:
        parser.error("all but zipf need --stream")
    asked.sizes = sorted({int(entries) for entries in asked.sizes.split(",")})
    asked.sizes += [LARGE] if asked.large else []
    return asked


def main() -> None:
    """Measure, print, write and draw."""
    asked = arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    stream = stream_of(read(asked.stream)) if asked.stream else None
    warm_up()
    print(HEADING, flush=True)
    points: list[Point] = []
    for kind in asked.kinds:
        points += curve(kind, asked.sizes, stream, asked.peers)
        report = {"command": sys.argv, "points": [asdict(point) for point in points]}
        (asked.out / "growth.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    draw(points, asked.out / "growth.png")
    print(f"{asked.out / 'growth.json'}, {asked.out / 'growth.png'}")


if __name__ == "__main__":
    main()
