"""Asking for the continuation of a list, of whatever interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.pipeline.profiles.values import Numbering
from asyncgen.pipeline.recipes.values import Question
from asyncgen.records import Prompt

if TYPE_CHECKING:
    from asyncgen.settings import Settings

__all__ = ["Wording", "continued", "last_number", "numbering"]


@dataclass(frozen=True, slots=True)
class Wording:
    """What stands before a list.

    Attributes:
        text: Before one that a text goes on with.
        chat: For a conversation that asks for more of it; ``None`` where that gets the text too.
        begun: For one whose answer is begun: whom the model plays, and what it was asked; the
            number of items stands for ``{}``.
        reminder: Said once more behind a list, in a conversation that asks for more of it.
    """

    text: str
    chat: str | None
    begun: tuple[str, str]
    reminder: str = ""


def numbering(settings: Settings) -> Numbering:
    """Return how the list of a generation request goes on."""
    continues = settings.api == "completions" or settings.continues
    return Numbering(settings.demonstrations + 1, continues)


def last_number(settings: Settings) -> int:
    """Return the number of the last item that is asked for."""
    return settings.demonstrations + settings.tasks_per_request


def continued(
    settings: Settings, wording: Wording, shown: str, *, begun: str, stop: tuple[str, ...]
) -> Question:
    """Ask for more of a list.

    Args:
        settings: The run's.
        wording: What stands before it.
        shown: Its items so far.
        begun: These with the beginning of the next, where the model goes on with them.
        stop: What ends the list there.
    """
    goes_on, last = numbering(settings), last_number(settings)
    if goes_on.continues and settings.api != "completions":
        system, asked = wording.begun
        turns = ((asked.format(last), ""),)
        return Question(Prompt(system, begun, turns, settings.api, continues=True), stop)
    if goes_on.continues or wording.chat is None:
        return Question(Prompt(wording.text, begun, api=settings.api), stop)
    more = f"{shown}\n\n{wording.reminder}Continue with tasks {goes_on.first} to {last}."
    return Question(Prompt(wording.chat, more, api=settings.api))
