"""The whole measurement of the filter: ours and the others' in one run, on the same texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from asyncgen.bench.contender import contender
from asyncgen.bench.growth import Step
from asyncgen.bench.ours import alone, decisions, loaded, scan_batch, scan_single, score_table
from asyncgen.bench.peers import rapidfuzz_cdist, rapidfuzz_extract_one, rouge_score
from asyncgen.bench.selection import cut, learned, size
from asyncgen.bench.start import measured_start
from asyncgen.bench.truth import agreement
from asyncgen_kernels import Vocabulary, warm_up
from asyncgen_kernels.index import Index

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.bench.contender import Contender
    from asyncgen.bench.ours import Loaded
    from asyncgen.bench.start import Start
    from asyncgen.bench.timing import Spread
    from asyncgen.bench.truth import Agreement
    from asyncgen.bench.workload import Workload
    from asyncgen_kernels import Tokenizer
    from asyncgen_kernels.text import Encoded

__all__ = ["Decided", "FilterReport", "Peer", "Plan", "measure_filter"]

Peer = Literal["rapidfuzz", "rouge_score"]

_DIVISORS = (16, 4, 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure.

    Attributes:
        threshold: Reject above this score.
        tokenizer: How texts are cut into tokens.
        against: Whose code to measure besides.
        start: Whether to measure the cold and the cached start.
    """

    threshold: float
    tokenizer: Tokenizer
    against: tuple[Peer, ...]
    start: bool = True


@dataclass(frozen=True, slots=True)
class Decided:
    """The decisions, from tokens, without inserting.

    Attributes:
        growth: Their cost as the pool grows, at the end the whole pool's.
        batch: 64 a call.
        alone: One a call.
        rejected: Share of the candidates that resemble an entry too much.
        agreement: With brute force, on a sample.
    """

    growth: list[Step]
    batch: Spread
    alone: Spread
    rejected: float
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class FilterReport:
    """What was measured, in one thread.

    Attributes:
        start: Cold and cached; ``None`` if not measured.
        loaded: Building, memory, and deciding from text to inserted.
        decided: The decisions.
        contenders: All ways to compare, ours first, the decision before all.
        score_table_us: Microseconds a candidate for a batch's scores written into an array.
    """

    start: Start | None
    loaded: Loaded
    decided: Decided
    contenders: list[Contender]
    score_table_us: float


def measure_filter(workload: Workload, plan: Plan, tell: Callable[[str], None]) -> FilterReport:
    """Measure.

    Args:
        workload: On which texts.
        plan: What.
        tell: Called with what comes next.
    """
    start = None
    if plan.start:
        tell("starting fresh interpreters; the first one compiles all kernels")
        start = measured_start()
    tell("loading the kernels")
    warm_up()
    decided, contenders, score_table_us = _with_tokens(workload, plan, tell)
    if "rouge_score" in plan.against:
        tell("comparing by rouge_score")
        contenders.append(rouge_score(workload.candidates, workload.pool, plan.tokenizer))
    tell("loading a pool of texts, and admitting")
    pool = loaded(workload.pool, workload.candidates, plan.threshold, plan.tokenizer)
    return FilterReport(start, pool, decided, contenders, score_table_us)


def _with_tokens(
    workload: Workload, plan: Plan, tell: Callable[[str], None]
) -> tuple[Decided, list[Contender], float]:
    """Measure all that needs tokens only; they and the index are gone after it."""
    tell(f"deciding on {len(workload.candidates):,} candidates, checking some by brute force")
    vocabulary = Vocabulary(plan.tokenizer)
    pool = learned(vocabulary, workload.pool)
    candidates = learned(vocabulary, workload.candidates)
    index = Index(plan.threshold)
    decided = _decided(index, pool, candidates, len(vocabulary))
    tell("scanning")
    view = index.view()
    contenders = [
        contender(
            "asyncgen",
            "decision",
            seconds=decided.batch.mean_us * size(candidates) / 1e6,
            candidates=size(candidates),
            entries=size(view),
            pool=size(view),
        ),
        scan_single(candidates, view),
        scan_batch(candidates, view, len(vocabulary)),
    ]
    score_table_us = score_table(candidates, view, len(vocabulary))
    if "rapidfuzz" in plan.against:
        tell("comparing by rapidfuzz")
        contenders.append(rapidfuzz_cdist(candidates, view, plan.threshold))
        contenders.append(rapidfuzz_extract_one(candidates, view, plan.threshold))
    return decided, contenders, score_table_us


def _decided(index: Index, pool: Encoded, candidates: Encoded, vocabulary: int) -> Decided:
    """Fill the index step by step and measure decisions at each."""
    growth: list[Step] = []
    batch: Spread | None = None
    for entries in sorted({-(-size(pool) // divisor) for divisor in _DIVISORS}):
        index.append(cut(pool, len(index), entries))
        index.settle(vocabulary)
        batch = decisions(index, candidates)
        growth.append(Step(entries, batch.mean_us))
    assert batch is not None  # noqa: S101 - a pool has entries
    found = index.search(candidates)
    return Decided(
        growth=growth,
        batch=batch,
        alone=alone(index, candidates),
        rejected=float((found.nearest >= 0).mean()),
        agreement=agreement(candidates, found, index.view(), index.threshold),
    )
