"""Figures of what was made: verbs and nouns, lengths, labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.report.figures.axes import Axis
from asyncgen.report.figures.charts import Bar, bars, histogram
from asyncgen.report.figures.figure import Figure, Table
from asyncgen.report.figures.spread import peak, shares, sharing
from asyncgen.report.figures.sunburst import sunburst
from asyncgen.report.measures.distribution import binned, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncgen.report.measures.distribution import Distribution
    from asyncgen.report.measures.measures import Lengths, Measures

__all__ = ["label_figures", "length_figures", "verb_figures"]

_LABELS = 12
_WIDTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_BINS = 25


def verb_figures(runs: Sequence[Measures]) -> list[Figure]:
    """Return a ring for each run whose instructions were parsed."""
    return [figure for run in runs if (figure := _verbs(run, alone=len(runs) == 1)) is not None]


def _verbs(run: Measures, *, alone: bool) -> Figure | None:
    found = run.pairs
    if found is None or not found.verbs:
        return None
    whose = "" if alone else f" of {run.name}"
    sample = "" if found.parsed == found.of else f" (a sample of {found.of:,})"
    note = (
        f"{found.paired:,} of {found.parsed:,} instructions{sample} begin with a verb that has a "
        f"direct object, in {found.different:,} different pairs. The {len(found.verbs)} most "
        f"frequent verbs with up to four objects each make up "
        f"{found.shown / max(found.parsed, 1):.0%} of the instructions. Parsed with {found.parser}."
    )
    return Figure(
        name="verbs" if alone else f"verbs-{_file_name(run.name)}",
        title=f"Verbs and their objects{whose}",
        note=note,
        picture=sunburst("The most frequent verbs with their most frequent objects", found.verbs),
        table=Table(
            ("verb", "object", "instructions"),
            tuple((one.verb, noun, count) for one in found.verbs for noun, count in one.nouns),
        ),
    )


def length_figures(runs: Sequence[Measures]) -> list[Figure]:
    """Return the lengths of instructions, inputs and outputs."""
    return [
        _length(runs, "instruction", "instructions", lambda one: one.instruction),
        _length(runs, "input", "inputs", lambda one: one.input),
        _length(runs, "output", "outputs", lambda one: one.output),
    ]


def _length(
    runs: Sequence[Measures],
    kind: str,
    plural: str,
    spread: Callable[[Lengths], Distribution],
) -> Figure:
    spreads = [spread(run.lengths) for run in runs]
    high = max((summary(one).p90 for one in spreads), default=0) * 1.4 + 1
    width = next((one for one in _WIDTHS if high / one <= _BINS), _WIDTHS[-1])
    edges = tuple(float(place * width) for place in range(max(int(high / width), 1) + 2))
    counts = [binned(one, edges) for one in spreads]
    heights = [shares(one) if len(runs) > 1 else one for one in counts]
    words = " ".join(_length_note(run, kind, spread, several=len(runs) > 1) for run in runs)
    return Figure(
        name=f"length-{kind}",
        title=f"Length of {plural}",
        note=f"{words} The last bar holds all that are longer.",
        picture=histogram(
            f"Histogram of the length of {plural} in words",
            edges,
            [(run.name, one) for run, one in zip(runs, heights, strict=True)],
            x=Axis(label="words", high=edges[-1], fixed=True),
            y=sharing(plural, peak(heights), several=len(runs) > 1),
        ),
        table=Table(
            ("words from", "below", *(run.name for run in runs)),
            tuple(
                (edges[place], edges[place + 1] if place + 2 < len(edges) else None, *row)
                for place, row in enumerate(zip(*counts, strict=True))
            ),
        ),
    )


def _length_note(
    run: Measures, kind: str, spread: Callable[[Lengths], Distribution], *, several: bool
) -> str:
    of = summary(spread(run.lengths))
    empty = f", and {run.lengths.empty_inputs:,} instances need none" if kind == "input" else ""
    who = f"{run.name}: mean" if several else "Mean"
    return f"{who} {of.mean:.1f} words, median {of.median:.0f}{empty}."


def label_figures(runs: Sequence[Measures]) -> list[Figure]:
    """Return the most frequent labels of classification tasks, if there are any."""
    if not any(run.labels.counts for run in runs):
        return []
    sums: dict[str, int] = {}
    for run in runs:
        for label, count in run.labels.counts:
            sums[label] = sums.get(label, 0) + count
    most = sorted(sums, key=lambda label: -sums[label])[:_LABELS]
    counts = [dict(run.labels.counts) for run in runs]
    rows = [
        Bar("" if number else label, found.get(label, 0), f"{found.get(label, 0):,}", number)
        for label in most
        for number, found in enumerate(counts)
    ]
    several = len(runs) > 1
    return [
        Figure(
            name="labels",
            title="Labels of classification tasks",
            note=" ".join(_label_note(run, several=several) for run in runs),
            picture=bars(
                "The most frequent labels by how many instances give them",
                rows,
                keys=[run.name for run in runs] if several else (),
            ),
            table=Table(
                ("label", *(run.name for run in runs)),
                tuple(
                    (label, *(found.get(label, 0) for found in counts))
                    for label in sorted(sums, key=lambda label: -sums[label])[:200]
                ),
            ),
        )
    ]


def _label_note(run: Measures, *, several: bool) -> str:
    found = run.labels
    share = found.tasks / found.of if found.of else 0
    who = f"{run.name}: " if several else ""
    by_number = ", ".join(f"{count:,} with {number}" for number, count in found.per_task[:4])
    spread = f" Tasks by how many labels their instances give: {by_number}." if by_number else ""
    return (
        f"{who}{found.tasks:,} of {found.of:,} tasks ({share:.0%}) are classification, with "
        f"{len(found.counts):,} different labels in {found.instances:,} instances.{spread}"
    )


def _file_name(name: str) -> str:
    return "".join(one if one.isalnum() else "-" for one in name).strip("-") or "run"
