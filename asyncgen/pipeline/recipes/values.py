"""What a recipe is made of: plain functions, and the values that they take and return."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from asyncgen.pipeline.profiles import profile_of
from asyncgen.settings import english_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncgen.pipeline.profiles.values import Profile
    from asyncgen.pipeline.texts import GivenText
    from asyncgen.records import Completion, Instance, Prompt, Reason, SeedTask, Stage
    from asyncgen.settings import RecipeName, Settings

__all__ = ["Candidate", "Material", "Question", "Recipe", "Turn"]


@dataclass(frozen=True)
class Material:
    """What the requests of a run are made of, the pool left out."""

    settings: Settings
    seeds: tuple[SeedTask, ...]
    texts: tuple[GivenText, ...] = ()

    @cached_property
    def profile(self) -> Profile:
        """How answers become tasks."""
        return profile_of(self.settings)

    @cached_property
    def language(self) -> str:
        """The name in English of the one in which tasks are asked for; empty where none is."""
        return english_name(self.settings.language) if self.settings.language else ""

    @cached_property
    def human(self) -> tuple[str, ...]:
        """Ids of the seed tasks."""
        return tuple(self.seed)

    @cached_property
    def seed(self) -> dict[str, SeedTask]:
        """The seed tasks by id."""
        return {one.id: one for one in self.seeds}


@dataclass(frozen=True, slots=True)
class Turn:
    """One generation request: its number, and the tasks that it shows, in their order.

    Attributes:
        shown: Their ids.
        instructions: What they say.
    """

    ordinal: int
    shown: tuple[str, ...]
    instructions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the strings that end the answer."""

    prompt: Prompt
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A task as it was read from an answer.

    Attributes:
        instances: Those that came with it; empty where a later stage makes them.
        offence: Why it must go, and what in it offends, where the recipe knows that.
        parent: Id of the task that it was made of.
        operation: What was done to that.
        row: Of the text that it was made for, as :class:`asyncgen.corpus.rows.Row` counts.
    """

    instruction: str
    instances: tuple[Instance, ...] = ()
    offence: tuple[Reason, str] | None = None
    parent: str | None = None
    operation: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a run comes by new tasks: data and a few plain functions.

    Each function depends on its arguments alone: what chance decides is keyed by the run's seed
    and the ordinal, so that the dataset is the same however many requests are in the air.

    Attributes:
        method: What it does, in sentences for those who get the dataset.
        later: The stages that a kept instruction still goes through, in their order; without any
            its instances came with it, and it is judged by them before it is kept.
        items: From the settings to the candidates that one answer is asked for.
        most: From the material to how many requests there can be; ``None`` for any number.
        draw: From the material, the ordinal, the ids of all kept tasks and how many of them,
            from the first on, may be shown to the ids of those that are.
        ask: From the material and a turn to the question.
        read: From the material, a turn and the answer to its candidates.
        written: From a seed task to how one item of an answer is written: what an estimate goes by.
    """

    name: RecipeName | str
    method: str
    later: tuple[Stage, ...]
    items: Callable[[Settings], int]
    most: Callable[[Material], int | None]
    draw: Callable[[Material, int, Sequence[str], int], tuple[str, ...]]
    ask: Callable[[Material, Turn], Question]
    read: Callable[[Material, Turn, Completion], tuple[Candidate, ...]]
    written: Callable[[SeedTask], str]
