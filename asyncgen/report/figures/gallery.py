"""All figures of one or more runs, in the order in which they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from asyncgen.report.figures.losses import funnel_figure, instance_figure, score_figure
from asyncgen.report.figures.novelty import acceptance_figure, nearness_figures, novelty_figure
from asyncgen.report.figures.variety import label_figures, length_figures, verb_figures
from asyncgen.report.figures.work import flow_figures, token_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.report.figures.figure import Figure
    from asyncgen.report.measures.measures import Measures

__all__ = ["Gallery", "gallery"]


class Gallery(Struct, frozen=True, kw_only=True):
    """Figures by what they are about.

    Attributes:
        verbs: Of each run, where a parser is installed.
        variety: What was made.
        novelty: How new it is.
        losses: What was dropped.
        work: What it took.
    """

    verbs: tuple[Figure, ...]
    variety: tuple[Figure, ...]
    novelty: tuple[Figure, ...]
    losses: tuple[Figure, ...]
    work: tuple[Figure, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All of them."""
        return self.verbs + self.variety + self.novelty + self.losses + self.work


def gallery(runs: Sequence[Measures]) -> Gallery:
    """Draw one run, or several over each other."""
    some = (instance_figure(runs), score_figure(runs))
    return Gallery(
        verbs=tuple(verb_figures(runs)),
        variety=(*length_figures(runs), *label_figures(runs)),
        novelty=(*nearness_figures(runs), acceptance_figure(runs), novelty_figure(runs)),
        losses=(funnel_figure(runs), *(one for one in some if one is not None)),
        work=(token_figure(runs), *flow_figures(runs)),
    )
