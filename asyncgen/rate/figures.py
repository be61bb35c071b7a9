"""The paper's figure of the human evaluation: for each model, how often each level was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.rate.rubric import LETTERS, RUBRIC
from asyncgen.report.figures.figure import Figure, Table
from asyncgen.report.figures.stacked import Part, Stack, stacked

if TYPE_CHECKING:
    from asyncgen.rate.results import ByRater, Results

__all__ = ["figures_of"]

_PARTS = tuple(Part(letter, tone) for letter, tone in zip(LETTERS, (2, 0, 4, 1), strict=True))
"""Green and blue for what is acceptable, amber and orange for what is not, as on the page."""


def figures_of(results: Results) -> list[Figure]:
    """Return a figure for each rater."""
    return [_figure(number, one) for number, one in enumerate(results.raters, start=1)]


def _figure(number: int, one: ByRater) -> Figure:
    # The best model first, as one reads; the paper has it last.
    ranked = sorted(one.models, key=lambda model: model.acceptable.value or 0.0, reverse=True)
    rows = [
        Stack(model.model, model.counts, f"A or B {model.acceptable.value:.0%}")
        for model in ranked
        if model.acceptable.value is not None
    ]
    who = f"{one.rater} (a model)" if one.kind == "model" else one.rater
    meanings = "; ".join(f"{level.letter}: {level.name.lower()}" for level in RUBRIC)
    return Figure(
        name=f"levels-{number}",
        title=f"Levels given by {who}",
        note=f"{one.rated:,} of {one.total:,} responses. {meanings}.",
        picture=stacked(f"Levels given by {who}, by model", _PARTS, rows),
        table=Table(
            ("model", *LETTERS),
            tuple((model.model, *model.counts) for model in ranked),
        ),
    )
