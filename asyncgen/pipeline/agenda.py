"""What to ask next, and when to stop asking: a plain view on the fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.errors import RunPausedError
from asyncgen.pipeline.asking import ask_classification, ask_generation, ask_instances
from asyncgen.pipeline.saturation import saturation_of

if TYPE_CHECKING:
    from asyncgen.pipeline.fold import Fold
    from asyncgen.pipeline.prompts import PromptBook
    from asyncgen.records import Request
    from asyncgen.settings import Settings

__all__ = ["Agenda", "Forecast"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """How much an answer brings, by what was seen so far.

    Both rates start from a guess that counts as much as ``_GUESS_WEIGHT``
    observations, so that the first few answers do not swing them. The guess is
    on the high side: asking too little at first costs a moment, too much money.
    """

    kept_per_answer: float
    valid_per_kept: float


_KEPT_PER_ITEM = 0.75
_VALID_PER_KEPT = 0.8
_GUESS_WEIGHT = 4


class Agenda:
    """Hands out requests for one session of a run; the engine's source.

    What is nearly done goes first: instances, then classification, then new
    generation, and that only as far as the target needs it.
    """

    def __init__(self, settings: Settings, fold: Fold, prompts: PromptBook) -> None:
        self._settings = settings
        self._fold = fold
        self._prompts = prompts
        self._next_ordinal = 0

    @property
    def finished(self) -> bool:
        """Whether the first ``target`` valid tasks are known."""
        return self._fold.known >= self._settings.target

    def next_request(self) -> Request | None:
        """Hand over the most urgent request that was not handed over in this session.

        Raises:
            RunPausedError: If asking on is of no use, or there is nothing left to ask.
        """
        self._check_end()
        return self._instances() or self._classification() or self._generation()

    def forecast(self) -> Forecast:
        """Return the rates that decide how much is generated ahead."""
        fold = self._fold
        guess = _KEPT_PER_ITEM * fold.recipe.items(self._settings)
        return Forecast(
            kept_per_answer=_blend(guess, len(fold.drafts), fold.next_ordinal),
            valid_per_kept=_blend(_VALID_PER_KEPT, fold.counts.valid, fold.counts.settled),
        )

    def _instances(self) -> Request | None:
        while self._fold.to_instantiate:
            draft = self._fold.to_instantiate.popleft()
            if not draft.settled:
                return ask_instances(self._prompts, draft)
        return None

    def _classification(self) -> Request | None:
        while self._fold.to_decide:
            drafts, attempt = self._fold.to_decide.popleft()
            if drafts[0].is_classification is None and attempt == drafts[0].attempt:
                return ask_classification(self._prompts, drafts, attempt)
        return None

    def _generation(self) -> Request | None:
        fold = self._fold
        while fold.has_answer(self._next_ordinal):
            self._next_ordinal += 1
        ordinal = self._next_ordinal
        if fold.instructions.dry or not fold.may_ask(ordinal) or not self._more_wanted():
            return None
        self._next_ordinal += 1
        return ask_generation(fold, self._prompts, ordinal)

    def _more_wanted(self) -> bool:
        """Whether what is finished and under way will fall short of the target."""
        fold, forecast = self._fold, self.forecast()
        unsettled = len(fold.drafts) - fold.counts.settled
        asked = self._next_ordinal - fold.next_ordinal
        coming = unsettled + asked * forecast.kept_per_answer
        expected = fold.counts.valid + coming * forecast.valid_per_kept
        return expected < self._settings.target * (1 + self._settings.surplus)

    def _check_end(self) -> None:
        fold = self._fold
        if self.finished or not (fold.exhausted or fold.tasks.dry):
            return
        saturation = saturation_of(fold)
        if saturation is not None:
            raise RunPausedError(
                f"{saturation}; rejected.jsonl says why: take another model or seeds, or go on "
                "with a lower bound",
                go_on_with=("--saturation-bound", f"{saturation.lower:g}"),
            )
        raise RunPausedError(
            f"all {fold.next_ordinal:,} texts are used up, and made {fold.known:,} "
            f"of {self._settings.target:,} tasks: ask for fewer, or begin a run with more texts"
        )


def _blend(guess: float, total: int, observations: int) -> float:
    return (guess * _GUESS_WEIGHT + total) / (_GUESS_WEIGHT + observations)
