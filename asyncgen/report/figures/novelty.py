"""Figures of how new things are: nearest neighbours, and how that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.report.figures.axes import Axis
from asyncgen.report.figures.charts import Line, Rule, histogram, lines
from asyncgen.report.figures.figure import Figure, Table
from asyncgen.report.figures.spread import peak, shares, sharing
from asyncgen.report.figures.svg import SERIES
from asyncgen.report.measures.distribution import binned, summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.report.measures.distribution import Distribution
    from asyncgen.report.measures.measures import Measures

__all__ = ["acceptance_figure", "nearness_figures", "novelty_figure"]

_EDGES = tuple(place / 20 for place in range(21))


def nearness_figures(runs: Sequence[Measures]) -> list[Figure]:
    """Return similarity to the nearest seed, and to the nearest kept before."""
    return [
        _nearness(runs, "seed", "nearest seed", [run.to_seed for run in runs]),
        _nearness(runs, "kept", "nearest kept before", [run.to_kept for run in runs]),
    ]


def _nearness(
    runs: Sequence[Measures], name: str, what: str, spreads: Sequence[Distribution]
) -> Figure:
    several = len(runs) > 1
    counts = [binned(one, _EDGES, up_to=True) for one in spreads]
    heights = [shares(one) if several else one for one in counts]
    notes = [
        f"{run.name + ': mean' if several else 'Mean'} {of.mean:.3f}, "
        f"nine in ten up to {of.p90:.3f}, highest {of.highest:.3f}."
        for run, of in zip(runs, map(summary, spreads), strict=True)
    ]
    return Figure(
        name=f"rouge-{name}",
        title=f"Similarity to the {what}",
        note=f"ROUGE-L F-measure of each task's instruction. {' '.join(notes)}",
        picture=histogram(
            f"Histogram of ROUGE-L to the {what}",
            _EDGES,
            [(run.name, one) for run, one in zip(runs, heights, strict=True)],
            x=Axis(label="ROUGE-L", high=1.0, form="share", fixed=True),
            y=sharing("tasks", peak(heights), several=several),
            rules=_thresholds(runs),
        ),
        table=Table(
            ("ROUGE-L above", "up to", *(run.name for run in runs)),
            tuple(
                (_EDGES[place], _EDGES[place + 1], *row)
                for place, row in enumerate(zip(*counts, strict=True))
            ),
        ),
    )


def _thresholds(runs: Sequence[Measures]) -> list[Rule]:
    values = {run.settings.threshold: number for number, run in enumerate(runs)}
    if len(values) == 1:
        return [Rule(words=f"threshold {value:g}", x=value) for value in values]
    return [
        Rule(words=f"{value:g}", x=value, tone=number % SERIES) for value, number in values.items()
    ]


def acceptance_figure(runs: Sequence[Measures]) -> Figure:
    """Return the share of candidates that was kept, from the first to the last."""
    several = len(runs) > 1
    series = [
        Line(
            name=run.name if several else "kept",
            points=tuple((one.until, one.acceptance) for one in run.stretches),
            tone=number % SERIES,
        )
        for number, run in enumerate(runs)
    ]
    notes = [
        f"{run.name + ': ' if several else ''}{run.status.kept:,} of {run.status.candidates:,} "
        f"candidates kept; each point stands for {run.stretches[0].candidates:,}."
        for run in runs
        if run.stretches
    ]
    return Figure(
        name="acceptance",
        title="Acceptance over time",
        note=" ".join(notes),
        picture=lines(
            "Share of candidates kept, in the order they were written",
            series,
            x=Axis(label="candidates", high=_candidates(runs), fixed=True),
            y=Axis(label="share kept", high=1.0, form="percent", fixed=True),
        ),
        table=Table(
            ("run", "candidates", "kept", "of"),
            tuple(
                (run.name, one.until, one.kept, one.candidates)
                for run in runs
                for one in run.stretches
            ),
        ),
    )


def novelty_figure(runs: Sequence[Measures]) -> Figure:
    """Return how near kept instructions are to others, from the first to the last."""
    several = len(runs) > 1
    series: list[Line] = []
    for number, run in enumerate(runs):
        whose = f"{run.name}, " if several else ""
        kept_tone, seed_tone = (number % SERIES,) * 2 if several else (0, 1)
        to_kept = tuple((one.until, one.to_kept) for one in run.stretches)
        to_seed = tuple((one.until, one.to_seed) for one in run.stretches)
        series += [
            Line(name=f"{whose}nearest kept", points=to_kept, tone=kept_tone),
            Line(name=f"{whose}nearest seed", points=to_seed, tone=seed_tone, dashed=True),
        ]
    return Figure(
        name="novelty",
        title="Novelty over time",
        note="Mean ROUGE-L of kept instructions: when it nears the threshold, the run repeats "
        "itself, and more of what the model writes is dropped.",
        picture=lines(
            "Mean similarity of kept instructions to their nearest seed and nearest kept",
            series,
            x=Axis(label="candidates", high=_candidates(runs), fixed=True),
            y=Axis(label="mean ROUGE-L", high=1.0, form="share", fixed=True),
            rules=[
                Rule(words=f"threshold {value:g}", y=value)
                for value in {r.settings.threshold for r in runs}
            ],
        ),
        table=Table(
            ("run", "candidates", "mean ROUGE-L to nearest seed", "to nearest kept"),
            tuple(
                (run.name, one.until, _rounded(one.to_seed), _rounded(one.to_kept))
                for run in runs
                for one in run.stretches
            ),
        ),
    )


def _candidates(runs: Sequence[Measures]) -> float:
    return max((one.until for run in runs for one in run.stretches), default=1)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
