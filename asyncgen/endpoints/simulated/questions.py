"""What a prompt asks for, told from its form as any model would have to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Decide", "Extend", "Other", "Question", "Work", "question_of"]


class Extend(Struct, frozen=True):
    """Go on with a numbered list.

    Attributes:
        first: Number of the first new item.
        last: Number of the last.
        begun: Whether the first number stands there already.
        shown: The items shown, those that fill one line.
    """

    first: int
    last: int
    begun: bool
    shown: tuple[str, ...]


class Decide(Struct, frozen=True):
    """Say whether a task is a classification task.

    Attributes:
        capital: Whether the examples begin their answers with a capital letter.
    """

    task: str
    capital: bool = False


class Work(Struct, frozen=True):
    """Write worked examples of a task.

    Attributes:
        label_first: Whether each begins with its label.
        numbered: Whether they are in the form of the original: numbered, or for labels with
            "Class label" before them.
    """

    task: str
    label_first: bool
    numbered: bool = False


class Other(Struct, frozen=True):
    """Anything else."""


Question = Extend | Decide | Work | Other

_TASKS_TO = re.compile(r"\btasks (\d{1,5}) to (\d{1,5})\.?\s*\Z")
_BEGUN = re.compile(r"(?:^|\n)(\d{1,5})\.\s?\Z")
_SHOWN = re.compile(r"^\d{1,5}\. (.+)$", re.MULTILINE)
_DECISION = re.compile(
    r"(?:^|\n)Task: (.*)\n+(?:Classification|(?P<capital>Is it classification))"
    r"(?: \(yes or no\))?[:?]\s*\Z"
)
_ASKS_DECISION = re.compile(r"lassification(?: \(yes or no\))?[:?]\s*\Z")
_WORKED = re.compile(r"(?:^|\n)Task: (.*?)(?:\n|\Z)")
_LABEL = re.compile(r"^(?:Class label|Label):", re.MULTILINE)
_NUMBERED = re.compile(r"^(?:Class label:|Example 1$)", re.MULTILINE)

_USUAL = 8  # new items, where nothing says how many
_TAIL = 40  # characters: enough for every ending


def question_of(prompt: str, last: str, stops: Sequence[str]) -> Question:
    """Tell what is asked.

    Args:
        prompt: All of it.
        last: Its last message; of a completion the same as the prompt.
        stops: Strings that end the answer; a number among them ends a list.
    """
    tail = last[-_TAIL:]
    if found := _TASKS_TO.search(tail):
        first, until = int(found[1]), int(found[2])
        # A slip of the asker must not make an answer of 100,000 items.
        return Extend(first, min(until, first + 99), begun=False, shown=_items(last))
    if found := _BEGUN.search(tail):
        first = int(found[1])
        return Extend(first, _last_number(first, stops), begun=True, shown=_items(last))
    if _ASKS_DECISION.search(tail):
        decision = _DECISION.search(last)
        if decision is None:
            return Other()
        return Decide(_one_line(decision[1]), capital=decision["capital"] is not None)
    block = last[last.rfind("\n\n") + 2 :] if "\n\n" in last else last
    if block.startswith("Task: ") and (asked := _WORKED.match(block)):
        return Work(
            _one_line(asked[1]),
            label_first=_LABEL.search(prompt) is not None,
            numbered=_NUMBERED.search(prompt) is not None,
        )
    return Other()


def _items(text: str) -> tuple[str, ...]:
    return tuple(_SHOWN.findall(text))


def _last_number(first: int, stops: Sequence[str]) -> int:
    numbers = [int(found[1]) for stop in stops if (found := _BEGUN.search(stop))]
    return (
        min(numbers) - 1 if numbers and first < min(numbers) <= first + 100 else first + _USUAL - 1
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
