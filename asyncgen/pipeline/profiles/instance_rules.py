"""Rules that an instance must pass to be kept.

Each is one small function from an instance and its task's instruction to what
offends, or ``None``. The tables that say which are asked, and in which order, are
the profiles'.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asyncgen.pipeline.profiles import refusals
from asyncgen.pipeline.profiles.degeneration import repeats_itself
from asyncgen.pipeline.profiles.words import BY_BLANKS

if TYPE_CHECKING:
    from asyncgen.pipeline.profiles.words import Words
    from asyncgen.records import Instance

__all__ = [
    "asks_for_input",
    "ends_with_any_colon",
    "ends_with_colon",
    "leaks_template",
    "output_empty",
    "output_equals_input",
    "output_equals_instruction",
    "refuses",
    "repetitive",
    "runs_on",
]

_MOST_SHOWN = 60


def output_empty(instance: Instance, _instruction: str) -> str | None:
    """There is nothing to learn from it."""
    return None if instance.output else ""


def output_equals_input(instance: Instance, _instruction: str) -> str | None:
    """A copy is no answer."""
    return _shown(instance.output) if instance.input == instance.output else None


def output_equals_instruction(instance: Instance, instruction: str) -> str | None:
    """Saying the task again is no answer."""
    same = instance.output.lower().split() == instruction.lower().split()
    return _shown(instance.output) if same else None


def ends_with_colon(instance: Instance, _instruction: str) -> str | None:
    """What a colon announces is missing."""
    return _ending(instance, (":",))


def ends_with_any_colon(instance: Instance, _instruction: str) -> str | None:
    """The same, and of a colon of Chinese or Japanese."""
    return _ending(instance, (":", "："))


def _ending(instance: Instance, colons: tuple[str, ...]) -> str | None:
    for text in (instance.input, instance.output):
        if text.endswith(colons):
            return text.splitlines()[-1][-_MOST_SHOWN:]
    return None


_TEMPLATE = re.compile(
    r"(?:^|\n)[ \t]*(?:(?:Task|Input|Output|Label|Class label|Classification)[ \t]*\d*[:：]"
    r"|#{2,3} (?:Instruction|Input|Response)\b)|<\|[\w-]{1,20}\|>|\[/?INST\]|<noinput>"
)


def leaks_template(instance: Instance, _instruction: str) -> str | None:
    """The model wrote on in the form of a prompt, or of its own chat template."""
    found = _TEMPLATE.search(instance.output) or _TEMPLATE.search(instance.input)
    return found[0].strip() if found else None


_NEXT = re.compile(
    r"\n\s*\n[ \t]*(?:Instruction|Question|Prompt|Example|Exercise|Problem)[ \t]*\d*[.:][ \t]*\S"
    r"|\n\s*\n[ \t]*(?:Task|Example|Question|Exercise|Problem)[ \t]+\d{1,3}[ \t]*\n"
)


def runs_on(instance: Instance, instruction: str, words_of: Words = BY_BLANKS) -> str | None:
    """Behind the output stands the next task, or this one once more: base models do not stop."""
    again = instance.output.find(instruction) if words_of.count(instruction) > 3 else -1
    if again > 0:
        return _shown(instance.output[again:])
    found = _NEXT.search(instance.output)
    return _shown(found[0].strip()) if found else None


def repetitive(instance: Instance, _instruction: str, words_of: Words = BY_BLANKS) -> str | None:
    """The model got stuck."""
    return repeats_itself(instance.output, words_of) or repeats_itself(instance.input, words_of)


def refuses(instance: Instance, _instruction: str) -> str | None:
    """The model declines, or speaks of itself: learned from, that teaches to decline."""
    return refusals.declines(instance.output) or refusals.speaks_of_itself(instance.output)


def asks_for_input(instance: Instance, _instruction: str) -> str | None:
    """The model asks for what it should have made up; with an input, asking may be the answer."""
    return None if instance.input else refusals.asks_for_input(instance.output)


def _shown(text: str) -> str:
    return text.split("\n", 1)[0][:_MOST_SHOWN]
