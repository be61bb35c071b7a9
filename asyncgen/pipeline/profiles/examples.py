"""Reading worked examples: by field names, at the beginnings of lines only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asyncgen.pipeline.profiles.values import ParsedInstances
from asyncgen.records import Instance

if TYPE_CHECKING:
    from typing import TypeAlias

    from asyncgen.records import Completion

    Fields: TypeAlias = list[tuple[str, str]]

__all__ = ["fields_of", "read_instances", "worked_pairs"]

# A field's name stands at the beginning of a line, perhaps in bold or numbered.
_FIELD = re.compile(
    r"^[ \t]*(?:\*\*)?(?P<name>Input|Output|Label|Class label|Task|Example)"
    r"(?:[ \t]*\d{1,2})?(?:\*\*)?[ \t]*(?:[:：]|(?=[ \t]*$))(?:\*\*)?[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)

_NO_INPUT = frozenset(
    {"none", "no input", "(none)", "<noinput>", "n/a", "not applicable", "(no input)", "-"}
)


def read_instances(
    completion: Completion,
    is_classification: bool,  # noqa: FBT001 - what every profile's reader is told
) -> ParsedInstances:
    """Read worked examples: input then output, or for classification label then input.

    An output without an input belongs to a task that needs none; so does, where no
    label is asked for, an answer without any field: the model just did the task.
    An answer that was cut off loses only its last example.
    """
    fields = fields_of(completion.text)
    pairs = _labelled(fields) if is_classification else worked_pairs(fields)
    if not fields and not is_classification and completion.text.strip():
        pairs = [Instance("", completion.text.strip())]
    cut = completion.finish_reason == "length" and bool(pairs)
    return ParsedInstances(tuple(pairs), last_is_cut=cut)


def worked_pairs(fields: Fields) -> list[Instance]:
    """Return inputs and outputs out of fields in their order."""
    pairs: list[Instance] = []
    given = ""
    for name, value in fields:
        if name == "task":
            # The next task of the model's own making: not ours.
            break
        if name in {"input", "example"}:
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
        if name in {"label", "class label"}:
            # A label is one line; without a name of its own, what follows is the input.
            label, _, given = value.partition("\n")
            pairs.append(Instance("" if _is_none(given) else given.strip(), label.strip()))
        elif name == "input" and pairs and not pairs[-1].input and not _is_none(value):
            pairs[-1] = Instance(value, pairs[-1].output)

    return pairs


def _is_none(value: str) -> bool:
    return value.strip(" .").lower() in _NO_INPUT


def fields_of(text: str) -> Fields:
    """Split a text into (field name in lower case, value) pairs, in order.

    What follows "Example" without a name, or by another than ours, is the example's input.
    """
    marks = list(_FIELD.finditer(text))
    ends = [*(mark.start() for mark in marks), len(text)][1:]
    pairs = [
        (mark["name"].lower(), text[mark.end() : end].strip())
        for mark, end in zip(marks, ends, strict=True)
    ]
    return [(name, value) for name, value in pairs if value or name != "example"]
