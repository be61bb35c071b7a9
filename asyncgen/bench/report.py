"""A measurement of the filter as a JSON object and as a page of text."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from asyncgen.bench.growth import exponent

if TYPE_CHECKING:
    from asyncgen.bench.filter import FilterReport, Plan
    from asyncgen.bench.timing import Spread
    from asyncgen.bench.workload import Workload

__all__ = ["as_fields", "as_text"]

_PLACES = ((0.1, 4), (1, 3), (10, 2), (100, 1))
"""Below that value, so many digits behind the point."""


def as_fields(report: FilterReport, workload: Workload, plan: Plan) -> dict[str, Any]:
    """Return it for programs; times in seconds, or in the unit that a name ends with."""
    loaded, decided, start = report.loaded, report.decided, report.start
    snapshot, agreement = loaded.snapshot, decided.agreement
    unit = report.contenders[0].us_per_candidate
    return {
        "corpus": workload.name,
        "pool": len(workload.pool),
        "candidates": len(workload.candidates),
        "threshold": plan.threshold,
        "tokenizer": plan.tokenizer,
        "tokens_per_entry": snapshot.tokens / snapshot.entries,
        "rejected": decided.rejected,
        "agreement": agreement.decisions,
        "nearest_agreement": agreement.nearest,
        "agreement_checked": agreement.checked,
        "bytes_per_entry": snapshot.bytes / snapshot.entries,
        "vocabulary": snapshot.vocabulary,
        "vocabulary_bytes": snapshot.vocabulary_bytes,
        "cold_start_s": start and start.cold,
        "cached_start_s": start and start.cached,
        "build_s": loaded.seconds,
        "decision": decided.batch,
        "decision_alone": decided.alone,
        "text_decision": loaded.decision,
        "score_table_us_per_candidate": report.score_table_us,
        "growth": [step._asdict() for step in decided.growth],
        "exponent": exponent(decided.growth),
        "contenders": [
            {
                "name": c.name,
                "mode": c.mode,
                "us_per_candidate": c.us_per_candidate,
                "ns_per_pair": c.ns_per_pair,
                "ratio": c.us_per_candidate / unit,
                "candidates": c.candidates,
                "entries": c.entries,
            }
            for c in report.contenders
        ],
        "versions": _versions(),
    }


def as_text(report: FilterReport, workload: Workload, plan: Plan) -> str:
    """Return it for people."""
    parts = [
        _about(report, workload, plan),
        _contenders(report),
        _decisions(report),
        _growth(report),
        _agreement(report),
        "  ".join(f"{name} {value}" for name, value in _versions().items()),
    ]
    return "\n\n".join(parts)


def _about(report: FilterReport, workload: Workload, plan: Plan) -> str:
    snapshot, seconds = report.loaded.snapshot, report.loaded.seconds
    entries, megabytes = snapshot.entries, snapshot.vocabulary_bytes / 1e6
    pool = f"a pool of {entries:,}, {snapshot.tokens / entries:.1f} tokens each"
    above = f"{report.decided.rejected:.1%} of them above {plan.threshold:g}"
    each, words = snapshot.bytes / entries, snapshot.vocabulary
    lines = [
        f"{workload.name}: {pool}; {len(workload.candidates):,} candidates, {above}; one thread",
        "",
        f"  build   {seconds:.2f} s from text, {entries / seconds:,.0f} entries a second",
        f"  memory  {each:.0f} bytes an entry; {megabytes:.1f} MB for {words:,} words",
    ]
    if report.start:
        cold, cached = report.start
        lines.append(f"  start   {cold:.1f} s the first time, {cached:.2f} s with cached kernels")
    return "\n".join(lines)


def _contenders(report: FilterReport) -> str:
    unit = report.contenders[0].us_per_candidate
    lines = [f"  {'':<12}{'':<12}{'µs a candidate':>16}{'ns a pair':>13}{'/ decision':>13}"]
    scaled = False
    for c in report.contenders:
        mark = "" if c.entries == report.loaded.snapshot.entries else " *"
        scaled = scaled or bool(mark)
        lines.append(
            f"  {c.name:<12}{c.mode:<12}{_digits(c.us_per_candidate):>16}"
            f"{_digits(c.ns_per_pair):>13}{_digits(c.us_per_candidate / unit):>13}{mark}"
        )
    lines.append(
        f"  scan_batch keeps ten nearest, mean and histogram; all scores into an array: "
        f"{_digits(report.score_table_us)} µs a candidate"
    )
    if scaled:
        lines.append("  * measured on some of the pool; its cost is in proportion to the entries")
    return "\n".join(lines)


def _digits(value: float) -> str:
    """Return three digits at least, and no fraction that means nothing."""
    places = next((places for limit, places in _PLACES if value < limit), 0)
    return f"{value:,.{places}f}"


def _decisions(report: FilterReport) -> str:
    lines = [f"  {'µs a decision':<46}{'mean':>9}{'p50':>9}{'p99':>9}"]
    rows: tuple[tuple[str, Spread], ...] = (
        ("from tokens, 64 a call", report.decided.batch),
        ("from tokens, one a call", report.decided.alone),
        ("from text, with inserting, 64 a call", report.loaded.decision),
    )
    lines += [f"  {what:<46}{s.mean_us:>9.2f}{s.p50_us:>9.2f}{s.p99_us:>9.2f}" for what, s in rows]
    return "\n".join(lines)


def _growth(report: FilterReport) -> str:
    growth = report.decided.growth
    steps = " · ".join(f"{step.pool:,}: {step.us_per_decision:.2f} µs" for step in growth)
    power = exponent(growth)
    return f"  growth  {steps}" + ("" if power is None else f"; exponent {power:.2f}")


def _agreement(report: FilterReport) -> str:
    found = report.decided.agreement
    return (
        f"  agreement with brute force on {found.checked:,} candidates: "
        f"decisions {found.decisions:.2%}, with nearest and score {found.nearest:.2%}"
    )


def _versions() -> dict[str, str]:
    """Return what the numbers depend on."""
    packages = {name: version(name) for name in ("numpy", "numba", "rapidfuzz")}
    return {"python": platform.python_version(), "machine": platform.machine(), **packages}
