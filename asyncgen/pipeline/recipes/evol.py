"""The recipe ``evol``: seeds and kept instructions rewritten, deeper or broader, then worked out.

After Evol-Instruct (Xu et al., 2023, arXiv 2304.12244). The operations, their wording and their
examples are our own: ``seeds/operations.jsonl``.
"""

from __future__ import annotations

import random
import re
from functools import cache
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from asyncgen.pipeline.recipes.single import after_examples, only_paragraph
from asyncgen.pipeline.recipes.values import Candidate, Recipe
from asyncgen.pipeline.seeds import read_block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.pipeline.recipes.values import Material, Question, Turn
    from asyncgen.records import Completion, Reason

__all__ = ["EVOL", "Operation", "operation_of", "operations"]


class Rewriting(Struct, frozen=True):
    """A task, and what an operation made of it."""

    instruction: str
    rewritten: str


class Operation(Struct, frozen=True):
    """One way to rewrite a task.

    Attributes:
        kind: Whether the task stays the same and gets harder, or another of its field is made.
        change: What is asked for, in a sentence.
    """

    operation: str
    kind: Literal["deepen", "broaden"]
    change: str
    examples: tuple[Rewriting, ...]


@cache
def operations() -> tuple[Operation, ...]:
    """Return the package's operations, in the order of their file."""
    return read_block("operations.jsonl", Operation)


def operation_of(seed: int, ordinal: int) -> Operation:
    """Return what request ``ordinal`` of a run does: half of them deepen."""
    generator = random.Random(f"operation:{seed}:{ordinal}")  # noqa: S311 - no secret
    kind = generator.choice(("deepen", "broaden"))
    return generator.choice([one for one in operations() if one.kind == kind])


_HEADER = (
    "You rewrite tasks for an assistant. You never answer a task: you answer with one new task, "
    "complete in itself, that can be done with text alone, and with nothing besides."
)
_TEXT = "Each task is rewritten as the change says, never answered.\n\n"


def _draw(material: Material, ordinal: int, machine: Sequence[str], known: int) -> tuple[str, ...]:
    """Draw the parent, every seed and every kept instruction being as likely."""
    generator = random.Random(f"parent:{material.settings.seed}:{ordinal}")  # noqa: S311
    place = generator.randrange(len(material.human) + known)
    human = len(material.human)
    return (material.human[place] if place < human else machine[place - human],)


def _ask(material: Material, turn: Turn) -> Question:
    settings = material.settings
    operation = operation_of(settings.seed, turn.ordinal)
    examples = [
        (_asked(one.instruction, operation), one.rewritten)
        for one in operation.examples[: settings.few_shot]
    ]
    asked = _asked(turn.instructions[0], operation)
    headers = (_HEADER, _TEXT)
    if language := material.language:
        asked = f"{asked} Write the new task in {language}."
        foreign = f"Every new task is in {language}, whatever the language of the one before it."
        headers = (f"{_HEADER} {foreign}", f"{foreign} {_TEXT}")
    return after_examples(headers, examples, asked, "New task:", settings.api)


def _asked(instruction: str, operation: Operation) -> str:
    return f"Task: {' '.join(instruction.split())}\nChange: {operation.change}"


def _read(material: Material, turn: Turn, completion: Completion) -> tuple[Candidate, ...]:
    text = only_paragraph(completion.text)
    if not text:
        return ()
    operation = operation_of(material.settings.seed, turn.ordinal)
    instruction = material.profile.normalise(text)
    cut = completion.finish_reason == "length"
    offence: tuple[Reason, str] | None = ("cut_off", "") if cut else None
    return (
        Candidate(
            instruction,
            offence=offence or _offence(text, turn.instructions[0], operation, material.language),
            parent=turn.shown[0],
            operation=operation.operation,
        ),
    )


_LEAK = re.compile(
    r"\b(?:re-?written|new|given|original|above) (?:task|prompt|instruction)s?\b|\bChange:|"
    r"\bthe change says\b",
    re.IGNORECASE,
)
_ANSWERS = re.compile(
    r"(?:Sure|Certainly|Of course|Yes|No)[,.:!]|(?:Answer|Output|Title|Subject):|"
    r"(?:Here (?:is|are)|Here's|Dear|The answer|I (?:am|have|would|think|will))\b",
    re.IGNORECASE,
)
_MOST_MORE = 60
"""Words that a rewriting may be longer than its task; what is longer is mostly an answer."""


def _offence(
    text: str, parent: str, operation: Operation, language: str
) -> tuple[Reason, str] | None:
    """Return why a text is no rewriting of a task."""
    if leak := _LEAK.search(text):
        return "leaked_template", leak[0]
    if _words(text) == _words(parent):
        return "unchanged", ""
    if answers := _ANSWERS.match(text):
        return "not_rewritten", answers[0]
    more = len(text.split()) - len(parent.split())
    if more > _MOST_MORE:
        return "not_rewritten", f"{more} words more"
    # The task may be in another language than was asked for.
    comparable = bool(parent) and not language
    if comparable and operation.kind == "deepen" and not _content(text) & _content(parent):
        return "not_rewritten", "no word of the task"
    return None


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _content(text: str) -> set[str]:
    """Return the beginnings of longer words: inflected, they are the same."""
    return {word[:5] for word in _words(text) if len(word) > 3}


EVOL = Recipe(
    name="evol",
    method="""\
In the manner of Evol-Instruct ([Xu et al., 2023](https://arxiv.org/abs/2304.12244)): the model
rewrote seed tasks that people wrote, and its own, to be harder or to be others of the same field;
then it wrote an instance of each. `is_classification` was not asked about and is false.""",
    later=("instances",),
    items=lambda _settings: 1,
    most=lambda _material: None,
    draw=_draw,
    ask=_ask,
    read=_read,
    written=lambda seed: f"{seed.instruction}, {'in some more words ' * 3}",
)
