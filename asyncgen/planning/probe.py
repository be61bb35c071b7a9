"""A probe: the first few requests of a run, of every stage."""

from __future__ import annotations

import math
from collections import Counter, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from asyncgen.pipeline.agenda import Agenda
    from asyncgen.pipeline.fold import Fold
    from asyncgen.records import Request, Stage

__all__ = ["Probe"]

_GENERATION = 0.2
_CLASSIFICATION = 0.4
_INSTANCES = 0.2
"""Shares of a probe; the rest are what the last stage asks, instances where there is no judge. One
list yields enough for the others."""


class Probe:
    """Hands out a run's own requests, so many of each stage; the engine's source.

    What its share leaves no room for is held back, and goes when nothing else is to be
    had; what is never sent is asked in the next session, which begins with the journal.
    """

    def __init__(self, agenda: Agenda, fold: Fold, requests: int) -> None:
        self._agenda = agenda
        self._fold = fold
        self._requests = requests
        is_judged = "judging" in fold.counts.answers
        self._shares: dict[Stage, int] = {
            "generation": math.ceil(requests * _GENERATION),
            "classification": math.ceil(requests * _CLASSIFICATION),
            "instances": math.ceil(requests * _INSTANCES) if is_judged else requests,
            "judging": requests,
        }
        self._before = _answers(fold)
        self._asked: Counter[Stage] = Counter()
        self._held: deque[Request] = deque()

    @property
    def answered(self) -> int:
        """How many of its requests are answered."""
        return _answers(self._fold) - self._before

    @property
    def finished(self) -> bool:
        """Whether all of them are, or the run needs no more."""
        return self._agenda.finished or self.answered >= self._requests

    def next_request(self, stages: Collection[Stage] | None = None, /) -> Request | None:
        """Hand over the next request of a stage with room.

        Args:
            stages: Those that may be asked; ``None`` for all.

        Raises:
            RunPausedError: If the model has long stopped answering with anything usable.
        """
        if self._asked.total() >= self._requests:
            return None
        while self._may_ask() and (request := self._agenda.next_request(stages)) is not None:
            if self._asked[request.stage] < self._shares[request.stage]:
                return self._hand(request)
            self._held.append(request)
        nothing_in_the_air = self.answered >= self._asked.total()
        if not nothing_in_the_air:
            return None
        for request in self._held:
            if stages is None or request.stage in stages:
                self._held.remove(request)
                return self._hand(request)
        return None

    def _may_ask(self) -> bool:
        """Whether the agenda has more than the next list, one of which is held back already."""
        holds_list = any(request.stage == "generation" for request in self._held)
        fold = self._fold
        return not holds_list or bool(fold.to_decide or fold.to_instantiate or fold.to_judge)

    def _hand(self, request: Request) -> Request:
        self._asked[request.stage] += 1
        return request


def _answers(fold: Fold) -> int:
    return sum(fold.counts.answers.values())
