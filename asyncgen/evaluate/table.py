"""Scores as a Markdown table: models side by side, and how they differ from the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asyncgen.evaluate.scores import Difference, Group, Scores
    from asyncgen.statistics.bootstrap import Interval, PairedTest

__all__ = ["in_points", "markdown", "signed"]

_METRICS = {"rouge_l": "ROUGE-L", "exact_match": "exact match"}


def markdown(models: Sequence[Scores], differences: Sequence[Sequence[Difference]]) -> str:
    """Return a table in points of 100, a row for each group, with what the columns mean.

    Args:
        models: Of the same questions.
        differences: Of each model but the first, from the first.
    """
    return "\n".join(_lines(models, differences)) + "\n"


def _lines(models: Sequence[Scores], differences: Sequence[Sequence[Difference]]) -> Iterator[str]:
    head = ["", "answers", "metric", *(_cell(one.model) for one in models)]
    head += [f"{_cell(one.model)} minus {_cell(models[0].model)}" for one in models[1:]]
    yield _row(head)
    yield _row(["---", "---:", "---", *["---:"] * (len(head) - 3)])
    for place, group in enumerate(models[0].groups):
        cells = [_name(group), f"{group.rows:,}", _METRICS[group.metric]]
        cells += [in_points(one.groups[place].value, one.groups[place].interval) for one in models]
        cells += [_compared(several[place].test) for several in differences]
        yield _row(cells)
    yield ""
    interval = models[0].overall.interval
    yield (
        f"Points of 100, with {interval.level:.0%} bootstrap intervals over answers, drawn within "
        "tasks. All: the mean over answers."
    )
    if any(group.interval.low == group.interval.high for one in models for group in one.groups):
        yield (
            "An interval without width says that all answers scored alike, not that others could "
            "not score otherwise."
        )
    if differences:
        yield (
            "Differences are paired; p by approximate randomisation, two-sided, not corrected for "
            "the number of rows."
        )
    for one in models:
        if one.failed or one.cut_off:
            yield (
                f"{_cell(one.model)}: {one.failed:,} answers will never come and count as empty; "
                f"{one.cut_off:,} ended at their greatest length."
            )


def in_points(value: float, interval: Interval) -> str:
    """Return a mean and its interval in points of 100."""
    return f"{100 * value:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def signed(test: PairedTest) -> str:
    """Return a difference and its interval in points of 100, with its sign."""
    low, high = test.interval.low, test.interval.high
    return f"{100 * test.difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def _compared(test: PairedTest) -> str:
    return f"{signed(test)}, p = {test.p_value:.2g}"


def _name(group: Group) -> str:
    names = {"all": "**all**", "category": f"*{_cell(group.name)}*", "task": _cell(group.name)}
    return names[group.kind]


def _cell(text: str) -> str:
    """Return other people's words as they can stand in a cell."""
    return " ".join(text.split()).replace("|", "\\|")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
