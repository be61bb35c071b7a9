"""A run without an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from asyncgen.pipeline.agenda import Agenda
from asyncgen.pipeline.fold import Fold
from asyncgen.pipeline.harvest import harvest
from asyncgen.pipeline.prompts import PromptBook
from asyncgen.pipeline.seeds import packaged, read_few_shot, read_seed_tasks
from asyncgen.records import Answer

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from asyncgen.pipeline.recipes.values import Recipe
    from asyncgen.pipeline.texts import GivenText
    from asyncgen.records import Completion, Request, Task
    from asyncgen.settings import Settings

__all__ = ["SEEDS", "Session"]

SEEDS = read_seed_tasks(packaged("seed_tasks.jsonl"), at_least=8)


class Session:
    """Asks, answers in any order, folds.

    Args:
        run: Its settings.
        answered: What a request is answered with.
        texts: What it finds instructions for.
        recipe: Instead of that of the settings.
    """

    def __init__(
        self,
        run: Settings,
        answered: Callable[[Request], Completion],
        texts: Sequence[GivenText] = (),
        recipe: Recipe | None = None,
    ) -> None:
        self.settings = run
        self.prompts = PromptBook(run, read_few_shot())
        self._answered = answered
        self._texts = texts
        self._recipe = recipe
        self.resume()

    def resume(self, journal: Sequence[Answer] = ()) -> None:
        """Begin anew with the answers of a journal."""
        self.fold = Fold(self.settings, SEEDS, self.prompts, texts=self._texts, recipe=self._recipe)
        self.journal: list[Answer] = []
        for one in journal:
            self.commit(one)
        self.agenda = Agenda(self.settings, self.fold, self.prompts)

    def commit(self, one: Answer) -> None:
        """Fold an answer in."""
        self.fold.commit(one)
        self.journal.append(one)

    def work(self, in_flight: int, rng: random.Random, most: int = 10**6) -> None:
        """Keep requests in the air and answer a random one of them each time."""
        air: list[Request] = []
        while not self.agenda.finished and len(self.journal) < most:
            while len(air) < in_flight and (request := self.agenda.next_request()):
                air.append(request)
            asked = air.pop(rng.randrange(len(air)))
            self.commit(Answer(asked, self._answered(asked)))

    def tasks(self) -> list[Task]:
        """Return the dataset."""
        return harvest(self.fold, self.settings.target).tasks

    def result(self) -> bytes:
        """Return the dataset and what was dropped on the way to it, as bytes."""
        brought_in = harvest(self.fold, self.settings.target)
        return msgspec.json.encode((brought_in.tasks, brought_in.rejections))
