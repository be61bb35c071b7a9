"""Figures of what was dropped on the way from a candidate to a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.report.figures.charts import Bar, bars
from asyncgen.report.figures.figure import Figure, Table
from asyncgen.report.figures.svg import SERIES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from asyncgen.records import Reason, Stage
    from asyncgen.report.measures.funnel import Drop
    from asyncgen.report.measures.measures import Measures

__all__ = ["counted", "funnel_figure", "in_words", "instance_figure", "score_figure"]


_UNITS: dict[Stage, str] = {
    "generation": "instruction",
    "classification": "answer",
    "instances": "instance",
    "judging": "instance",
}


def in_words(reason: str) -> str:
    """Return a reason as it reads in a sentence."""
    return reason.replace("_", " ")


def counted(drop: Drop) -> str:
    """Return how many of what were dropped."""
    what = "task" if drop.reason == "no_instance" else _UNITS[drop.stage]
    return f"{drop.count:,} {what}{'s' * (drop.count != 1)}"


def funnel_figure(runs: Sequence[Measures]) -> Figure:
    """Return the way from candidates to tasks."""
    states = [run.status for run in runs]
    rows: list[tuple[str, list[int], bool]] = [
        ("candidates", [one.candidates for one in states], False),
        *(
            (f"- {in_words(reason)}", _counts(runs, "generation", reason), True)
            for reason in _reasons(runs, "generation")
        ),
        ("instructions kept", [one.kept for one in states], False),
        ("instances asked for", [one.settled for one in states], False),
        ("- no instance", _counts(runs, "instances", "no_instance"), True),
        *_judging(runs),
        ("valid tasks", [one.valid for one in states], False),
        ("in the dataset", [one.tasks for one in states], False),
    ]
    return Figure(
        name="funnel",
        title="From candidates to tasks",
        note=" ".join(_note(run, several=len(runs) > 1) for run in runs),
        picture=_grouped("Candidates, what was dropped, and tasks", rows, runs),
        table=Table(
            ("step", *(run.name for run in runs)), tuple((name, *row) for name, row, _ in rows)
        ),
    )


def _judging(runs: Sequence[Measures]) -> list[tuple[str, list[int], bool]]:
    states = [run.status.judged for run in runs]
    if not any(states):
        return []
    return [
        ("judged", [one.tasks if one else 0 for one in states], False),
        ("- judged too low", _counts(runs, "judging", "no_instance"), True),
    ]


def score_figure(runs: Sequence[Measures]) -> Figure | None:
    """Return how many instances got each score of a judge, if there was one."""
    judged = [run.status.judged for run in runs]
    if not any(judged):
        return None
    scores = sorted({score for one in judged if one for score in one.scores}, key=float)[::-1]
    rows = [
        (
            f"score {score}",
            [one.scores.get(score, 0) if one else 0 for one in judged],
            float(score) < min(run.settings.min_score or 0.0 for run in runs),
        )
        for score in scores
    ]
    unsaid = sum(one.unsaid for one in judged if one)
    left_open = f" Of {unsaid:,} the judge left a question open, which counts as no." * (unsaid > 0)
    return Figure(
        name="scores",
        title="What the judge said",
        note="Instances by the share of yes to: is the task valid, is the input appropriate, is "
        f"the output correct? Fainter ones were dropped.{left_open}",
        picture=_grouped("Instances by the judge's score", rows, runs),
        table=Table(
            ("score", *(run.name for run in runs)), tuple((name, *row) for name, row, _ in rows)
        ),
    )


def _note(run: Measures, *, several: bool) -> str:
    state = run.status
    beyond = state.valid - state.tasks
    rest = f" Valid beyond the dataset's end: {beyond:,}." if beyond > 0 else ""
    who = f"{run.name}: " if several else ""
    return (
        f"{who}{_share(state.kept, state.candidates)} of the candidates were kept, and "
        f"{_share(state.valid, state.settled)} of those asked became valid tasks.{rest}"
    )


def instance_figure(runs: Sequence[Measures]) -> Figure | None:
    """Return why instances were dropped, if any were."""
    reasons: list[Reason] = [one for one in _reasons(runs, "instances") if one != "no_instance"]
    if not reasons:
        return None
    rows = [(in_words(one), _counts(runs, "instances", one), True) for one in reasons]
    return Figure(
        name="instances",
        title="Instances dropped",
        note="Worked examples that were pruned; a task with none left is dropped too.",
        picture=_grouped("Dropped instances by reason", rows, runs),
        table=Table(
            ("reason", *(run.name for run in runs)), tuple((name, *row) for name, row, _ in rows)
        ),
    )


def _grouped(
    label: str, rows: Sequence[tuple[str, Sequence[int], bool]], runs: Sequence[Measures]
) -> Element:
    several = len(runs) > 1
    made = [
        Bar(
            "" if number else name,
            count,
            f"{count:,}",
            _tone(number, faint=faint, several=several),
            faint,
        )
        for name, counts, faint in rows
        for number, count in enumerate(counts)
    ]
    return bars(label, made, keys=[run.name for run in runs] if several else ())


def _tone(number: int, *, faint: bool, several: bool) -> int:
    return number % SERIES if several else int(faint)


def _reasons(runs: Sequence[Measures], stage: Stage) -> list[Reason]:
    sums: dict[Reason, int] = {}
    for run in runs:
        for reason, count in run.status.rejections.get(stage, {}).items():
            sums[reason] = sums.get(reason, 0) + count
    return sorted(sums, key=lambda reason: -sums[reason])


def _counts(runs: Sequence[Measures], stage: Stage, reason: Reason) -> list[int]:
    return [run.status.rejections.get(stage, {}).get(reason, 0) for run in runs]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "none"
