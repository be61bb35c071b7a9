"""Reading what models answer: tolerant of form, strict about where things end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncgen.pipeline.prompts import CHOICES
from asyncgen.records import Instance

if TYPE_CHECKING:
    from typing import TypeAlias

    from asyncgen.records import Completion

    Fields: TypeAlias = list[tuple[str, str]]

__all__ = ["Items", "ParsedInstances", "parse_decision", "parse_instances", "parse_items"]


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a numbered list; ``last_is_cut`` if the answer broke off in the last one."""

    texts: tuple[str, ...]
    last_is_cut: bool


@dataclass(frozen=True, slots=True)
class ParsedInstances:
    """Instances as they were written; ``last_is_cut`` if the answer broke off in the last one."""

    instances: tuple[Instance, ...]
    last_is_cut: bool


# "9. ", "9) ", "**9.** ", "Task 9: "; the number decides whether it begins an item.
_NUMBER = re.compile(r"^\s*(?:\*\*)?(?:Task\s+)?(\d{1,4})\s?[.):]\s?(?:\*\*)?\s*")


def parse_items(completion: Completion, *, first_number: int, continues: bool) -> Items:
    """Split a numbered list into its items.

    A line begins an item only if it carries the next number, or one of the two
    after it: other numbers belong to lists inside an item. A list that starts anew at 1 is followed
    from there.

    Args:
        completion: The answer.
        first_number: The number that the list should begin with.
        continues: Whether the answer goes on right behind that number.
    """
    text = f"{first_number}.{completion.text}" if continues else completion.text
    items: list[list[str]] = []
    expected: int | None = None
    for line in text.splitlines():
        match = _NUMBER.match(line)
        number = int(match[1]) if match else None
        if match is not None and number is not None and _begins(number, expected, first_number):
            items.append([_without_numbers(line[match.end() :])])
            expected = number + 1
        elif items:
            items[-1].append(line)

    texts = tuple(_joined(lines) for lines in items)
    return Items(texts, last_is_cut=completion.finish_reason == "length")


def _begins(number: int, expected: int | None, first_number: int) -> bool:
    """Whether a line with this number begins an item; small models skip one now and then."""
    if expected is None:
        return number in {1, first_number}
    return expected <= number <= expected + 2


def _without_numbers(line: str) -> str:
    """Take away further numbers: small models write "9. 14. Name a river."."""
    while match := _NUMBER.match(line):
        line = line[match.end() :]
    return line


def _joined(lines: list[str]) -> str:
    """Join an item's lines: wrapped prose becomes one line, lists keep theirs."""
    stripped = [" ".join(line.split()) for line in lines if line.strip()]
    if any(_LIST_ITEM.match(line) for line in stripped[1:]):
        return "\n".join(stripped)
    return " ".join(stripped)


_LIST_ITEM = re.compile(r"^(?:[-*•]|\d{1,4}[.)]|[A-Za-z][.)])\s")


_YES_NO = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


def parse_decision(completion: Completion, *, yes_bias: float = 0.0) -> bool | None:
    """Read a yes or no; the more likely where likelihoods are given; ``None`` if undecided.

    Args:
        completion: The answer.
        yes_bias: Added to the log-odds of yes, in nats.
    """
    if completion.finish_reason in {"error", "content_filter"}:
        return None
    if completion.choice_logprobs is not None:
        yes, no = (completion.choice_logprobs[choice] for choice in CHOICES)
        return yes + yes_bias > no
    found = _YES_NO.search(completion.text)
    return None if found is None else found[1].lower() == "yes"


# A field's name stands at the beginning of a line, perhaps in bold or numbered.
_FIELD = re.compile(
    r"^[ \t]*(?:\*\*)?(?P<name>Input|Output|Label|Task|Example)"
    r"(?:[ \t]*\d{1,2})?(?:\*\*)?[ \t]*(?::|(?=[ \t]*$))(?:\*\*)?[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)

_NO_INPUT = frozenset(
    {"none", "no input", "(none)", "<noinput>", "n/a", "not applicable", "(no input)", "-"}
)


def parse_instances(completion: Completion, *, is_classification: bool) -> ParsedInstances:
    """Read worked examples: input then output, or for classification label then input.

    An output without an input belongs to a task that needs none; so does, where no
    label is asked for, an answer without any field: the model just did the task.
    """
    fields = _fields(completion.text)
    pairs = _labelled(fields) if is_classification else _worked(fields)
    if not fields and not is_classification and completion.text.strip():
        pairs = [Instance("", completion.text.strip())]
    cut = completion.finish_reason == "length" and bool(pairs)
    return ParsedInstances(tuple(pairs), last_is_cut=cut)


def _worked(fields: Fields) -> list[Instance]:
    pairs: list[Instance] = []
    given = ""
    for name, value in fields:
        if name == "task":
            # The next task of the model's own making: not ours.
            break
        if name == "input":
            given = "" if _is_none(value) else value
        elif name == "output":
            pairs.append(Instance(given, value))
            given = ""

    return pairs


def _labelled(fields: Fields) -> list[Instance]:
    pairs: list[Instance] = []
    for name, value in fields:
        if name == "task":
            break
        if name == "label":
            pairs.append(Instance("", value))
        elif name == "input" and pairs and not pairs[-1].input and not _is_none(value):
            pairs[-1] = Instance(value, pairs[-1].output)

    return pairs


def _is_none(value: str) -> bool:
    return value.strip(" .").lower() in _NO_INPUT


def _fields(text: str) -> Fields:
    """Split a text into (field name in lower case, value) pairs, in order."""
    marks = list(_FIELD.finditer(text))
    ends = [*(mark.start() for mark in marks), len(text)][1:]
    return [
        (mark["name"].lower(), text[mark.end() : end].strip())
        for mark, end in zip(marks, ends, strict=True)
        if mark["name"].lower() != "example"
    ]
