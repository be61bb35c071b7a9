"""Results in words: lines for a terminal, and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.rate.rubric import LETTERS, RUBRIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asyncgen.rate.results import Agreement, ByRater, Difference, Estimate, Results
    from asyncgen.rate.store import RatingStore

__all__ = [
    "AGREEMENT_COLUMNS",
    "LEVEL_COLUMNS",
    "agreement_cells",
    "difference_words",
    "level_cells",
    "markdown",
    "number",
    "percent",
    "plain",
    "standing",
    "who",
]

LEVEL_COLUMNS = ("model", *LETTERS, "share of A", "of A or B")
AGREEMENT_COLUMNS = ("raters", "both rated", "κ, four levels", "κ, A B | C D", "Spearman's ρ")  # noqa: RUF001 - rho


def percent(one: Estimate) -> str:
    """Return a share with its interval."""
    if one.value is None:
        return "none"
    if one.low is None or one.high is None:
        return f"{one.value:.1%}"
    return f"{one.value:.1%} [{100 * one.low:.1f}, {100 * one.high:.1f}]"


def number(one: Estimate) -> str:
    """Return a coefficient with its interval."""
    if one.value is None:
        return "undefined"
    if one.low is None or one.high is None:
        return f"{one.value:.2f}"
    return f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]"


def who(one: ByRater) -> str:
    """Return a rater's name, with what it is if that is no person."""
    return f"{one.rater} (a model)" if one.kind == "model" else one.rater


def level_cells(one: ByRater) -> Iterator[tuple[str, ...]]:
    """Return a rater's table, a row for each model."""
    for model in one.models:
        counts = map(str, model.counts)
        yield model.model, *counts, percent(model.best), percent(model.acceptable)


def agreement_cells(results: Results) -> Iterator[tuple[str, ...]]:
    """Return the table of agreement, a row for each pair of raters."""
    for one in results.agreement:
        yield (
            _pair(one),
            f"{one.common:,}",
            number(one.kappa),
            number(one.kappa_two),
            number(one.rho),
        )


def difference_words(one: Difference) -> str:
    """Return what a rater finds between two models."""
    first, second = one.models
    found = one.acceptable
    if found.value is None or found.low is None or found.high is None:
        return f"{second} and {first}: no task with both rated"
    ends = f"{100 * found.low:+.1f}, {100 * found.high:+.1f}"
    return (
        f"A or B, {second} less {first}: {100 * found.value:+.1f} [{ends}] points "
        f"on {one.tasks:,} tasks, p = {one.p_value:.2g}"
    )


def plain(results: Results) -> Iterator[str]:
    """Return lines for a terminal."""
    yield f"{results.tasks:,} tasks, {len(results.models)} models; intervals {results.level:.0%}"
    for one in results.raters:
        yield ""
        yield f"{who(one)}: {one.rated:,} of {one.total:,} rated"
        yield from _aligned(LEVEL_COLUMNS, list(level_cells(one)))
        yield from (f"  {difference_words(two)}" for two in one.differences)
    if results.agreement:
        yield ""
        yield "agreement"
        yield from _aligned(AGREEMENT_COLUMNS, list(agreement_cells(results)))
    if not results.raters:
        yield "nobody has rated yet"


def markdown(results: Results, figures: Sequence[str]) -> str:
    """Return the results as Markdown.

    Args:
        results: To be told.
        figures: The path of each rater's figure.
    """
    size = f"{results.tasks:,} tasks, {len(results.models)} models"
    lines = [
        "# Ratings",
        "",
        f"{size}. In brackets: {results.level:.0%} intervals by the bootstrap over tasks.",
        "",
        *(f"- **{level.letter}** {level.name}: {level.meaning}" for level in RUBRIC),
    ]
    for one, figure in zip(results.raters, figures, strict=True):
        lines += ["", f"## {_safe(who(one))}", "", f"{one.rated:,} of {one.total:,} rated.", ""]
        lines += [f"![Levels by model]({figure})", ""]
        lines += _table(LEVEL_COLUMNS, list(level_cells(one)))
        lines += ["", *(f"- {_safe(difference_words(two))}" for two in one.differences)]
    if results.agreement:
        lines += [
            "",
            "## Agreement",
            "",
            *_table(AGREEMENT_COLUMNS, list(agreement_cells(results))),
        ]
    return "\n".join(lines) + "\n"


def standing(store: RatingStore) -> Iterator[str]:
    """Return how far each rater is, a line each."""
    total = len(store.responses())
    for rater in store.raters():
        yield f"  {rater.name}: {len(store.given(rater.number)):,} of {total:,}"


def _pair(one: Agreement) -> str:
    first, second = one.raters
    return f"{first}, {second}{' (a model)' if one.with_model else ''}"


def _aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        first, *rest = (
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  " + "  ".join((first, *rest)).rstrip()


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (columns, ["---"] + ["---:"] * (len(columns) - 1), *rows):
        yield f"| {' | '.join(map(_safe, row))} |"


def _safe(words: str) -> str:
    """Keep a name from being read as Markdown or HTML."""
    marks = {ord(mark): f"\\{mark}" for mark in "\\`*_{}[]<>#|!"}
    plain_words = " ".join(words.split())
    return plain_words if set(plain_words) <= set("-:") else plain_words.translate(marks)
