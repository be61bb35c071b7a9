"""What a prompt asks for, told from its form as any model would have to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Decide",
    "DecideAll",
    "Extend",
    "Instruct",
    "Judge",
    "Other",
    "Question",
    "Rewrite",
    "Work",
    "question_of",
]


class Extend(Struct, frozen=True):
    """Go on with a numbered list.

    Attributes:
        first: Number of the first new item.
        last: Number of the last.
        begun: Whether the first number stands there already.
        shown: The items shown, those that fill one line.
        blocks: Whether an item is a whole task: instruction, input and output.
    """

    first: int
    last: int
    begun: bool
    shown: tuple[str, ...]
    blocks: bool = False


class Decide(Struct, frozen=True):
    """Say whether a task is a classification task.

    Attributes:
        capital: Whether the examples begin their answers with a capital letter.
    """

    task: str
    capital: bool = False


class DecideAll(Struct, frozen=True):
    """Say of several tasks whether they are classification tasks, as a numbered list.

    Attributes:
        begun: Whether the first number stands there already.
        capital: As of :class:`Decide`.
    """

    tasks: tuple[str, ...]
    begun: bool
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


class Rewrite(Struct, frozen=True):
    """Make another task of one.

    Attributes:
        anew: Whether it is to be another of the same field.
    """

    task: str
    anew: bool


class Instruct(Struct, frozen=True):
    """Write the instruction that a text answers."""

    text: str


class Judge(Struct, frozen=True):
    """Say of an example whether its task is valid, its input appropriate and its output correct.

    Attributes:
        begun: Whether the first number stands there already.
    """

    begun: bool


class Other(Struct, frozen=True):
    """Anything else."""


Question = Extend | Decide | DecideAll | Work | Rewrite | Instruct | Judge | Other

_TASKS_TO = re.compile(r"\btasks (\d{1,5}) to (\d{1,5})\.?\s*\Z")
_BEGUN = re.compile(r"(?:^|\n)(\d{1,5})\.\s?(?P<block>Instruction:)?\s?\Z")
_BLOCK = re.compile(r"^\d{1,5}\. Instruction:", re.MULTILINE)
_SHOWN = re.compile(r"^\d{1,5}\. (?:Instruction: )?(.+)$", re.MULTILINE)
_REWRITING = re.compile(r"\ATask: (.*)\nChange: (.*?)(?:\nNew task:)?\s*\Z")
_DECISIONS = re.compile(r"\n(?:Classification:|(?P<capital>Is it classification)\?)\n1\.\Z")
_LIST = re.compile(r"1\. .+(?:\n\d{1,3}\. .+)*")
_YES_NO = re.compile(r"^1\. (?:yes|no)$", re.MULTILINE)
_ANEW = re.compile(r"\banother task\b")
_DECISION = re.compile(
    r"(?:^|\n)Task: (.*)\n+(?:Classification|(?P<capital>Is it classification))"
    r"(?: \(yes or no\))?[:?]\s*\Z"
)
_JUDGED = re.compile(r"\b3\. Is the output correct\?(?P<begun>\n1\.)?\s*\Z")
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
    if judged := _JUDGED.search(tail):
        return Judge(begun=judged["begun"] is not None)
    if decisions := _decisions(prompt, last):
        return decisions
    if found := _TASKS_TO.search(tail):
        first, until = int(found[1]), int(found[2])
        # A slip of the asker must not make an answer of 100,000 items.
        blocks = _BLOCK.search(last) is not None
        return Extend(first, min(until, first + 99), begun=False, shown=_items(last), blocks=blocks)
    if found := _BEGUN.search(tail):
        first = int(found[1])
        blocks, until = found["block"] is not None, _last_number(first, stops)
        return Extend(first, until, begun=True, shown=_items(last), blocks=blocks)
    if last.startswith("Text: ") or tail.endswith("\nInstruction:"):
        return Instruct(last[last.rfind("\nText: ") + 1 :].removeprefix("Text: "))
    return _decision(last) if _ASKS_DECISION.search(tail) else _about_a_task(prompt, last)


def _decision(last: str) -> Question:
    asked = _DECISION.search(last)
    if asked is None:
        return Other()
    return Decide(_one_line(asked[1]), capital=asked["capital"] is not None)


def _decisions(prompt: str, last: str) -> DecideAll | None:
    if found := _DECISIONS.search(last[-_TAIL:]):
        block = last[last.rfind("\n\n") + 1 : len(last) - len(found[0])]
        return DecideAll(_items(block), begun=True, capital=found["capital"] is not None)
    if _LIST.fullmatch(last) and _YES_NO.search(prompt):
        return DecideAll(_items(last), begun=False)
    return None


def _about_a_task(prompt: str, last: str) -> Question:
    block = last[last.rfind("\n\n") + 2 :] if "\n\n" in last else last
    if rewriting := _REWRITING.match(block):
        return Rewrite(_one_line(rewriting[1]), anew=_ANEW.search(rewriting[2]) is not None)
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
