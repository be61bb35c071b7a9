"""A task in the making, and the totals of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asyncgen.records import Task, Usage

if TYPE_CHECKING:
    from asyncgen.records import Completion, Instance, Neighbour, Provenance, Stage

__all__ = ["Bill", "Counts", "Draft"]


@dataclass(slots=True, eq=False)
class Draft:
    """A kept instruction on its way to a task.

    Attributes:
        place: How many texts stood in the pool before it.
        attempt: How often its classification has been asked alone, the question that is due
            included; 0 while it is asked together with others.
        is_classification: ``None`` until that is decided.
        instances: ``None`` until they are made; empty if none was valid.
    """

    id: str
    instruction: str
    place: int
    provenance: Provenance
    attempt: int = 1
    is_classification: bool | None = None
    instances: tuple[Instance, ...] | None = None

    @property
    def settled(self) -> bool:
        """Whether it is known if this becomes a task."""
        return self.instances is not None

    def task(self, most_similar: Neighbour | None) -> Task:
        """Return the finished task, given the nearest text kept before it."""
        return Task(
            id=self.id,
            instruction=self.instruction,
            is_classification=bool(self.is_classification),
            instances=self.instances or (),
            most_similar=most_similar,
            provenance=self.provenance,
        )


@dataclass(slots=True)
class Bill:
    """What answers took of whoever asked for them.

    Attributes:
        dollars: Of the answers whose price is known, in US dollars.
        unpriced: Answers whose price is not known.
    """

    answers: int = 0
    usage: Usage = Usage()
    dollars: float = 0.0
    unpriced: int = 0

    def add(self, completion: Completion) -> None:
        """Take an answer in."""
        self.answers += 1
        self.usage += completion.usage
        self.dollars += completion.cost or 0.0
        self.unpriced += completion.cost is None

    @property
    def cost(self) -> float | None:
        """US dollars; ``None`` where there are answers, but none with a known price."""
        return None if self.answers and self.unpriced == self.answers else self.dollars


@dataclass(slots=True)
class Counts:
    """What was folded so far.

    Attributes:
        asked: What the run's own answers took.
        recalled: What those took that came from a shared cache.
        lost_cost: US dollars, at the worst, of attempts whose answers were lost before one came.
        undecided: Tasks whose classification was no yes and no no, asked again where the
            profile does so; counted as no.
        classification: Tasks that were found to be classification tasks.
        settled: Tasks that are finished or failed.
        valid: Those of them with a valid instance.
    """

    answers: dict[Stage, int] = field(
        default_factory=lambda: {"generation": 0, "classification": 0, "instances": 0}
    )
    asked: Bill = field(default_factory=Bill)
    recalled: Bill = field(default_factory=Bill)
    lost_cost: float = 0.0
    undecided: int = 0
    classification: int = 0
    settled: int = 0
    valid: int = 0
