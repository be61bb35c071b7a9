"""Whole tasks as numbered blocks: writing them, and reading what a model wrote in their form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asyncgen.pipeline.profiles.examples import fields_of, worked_pairs
from asyncgen.pipeline.profiles.lists import begins_item
from asyncgen.pipeline.recipes.values import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asyncgen.pipeline.profiles.values import Numbering
    from asyncgen.records import Completion, Reason, SeedTask

__all__ = ["block", "read_blocks"]

# Chat models set "4. Instruction:" in bold, as a heading, or on two lines.
_BEGINS = re.compile(
    r"^[ \t]*(?:#{1,4}[ \t]*)?(?:\*\*)?(?:Task[ \t]*)?(\d{1,4})[ \t]?[.):]?(?:\*\*)?\s*"
    r"(?:\*\*)?Instruction(?:\*\*)?[ \t]*:(?:\*\*)?[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
# The number may stand before each field, as it does in the variant of 2023.
_NUMBER = re.compile(
    r"^[ \t]*\d{1,4}[.)][ \t]*(?=(?:\*\*)?(?:Input|Output)(?:\*\*)?[ \t]*:)",
    re.IGNORECASE | re.MULTILINE,
)
_FIELD = re.compile(
    r"^[ \t]*(?:\*\*)?(?:Input|Output)(?:\*\*)?[ \t]*:", re.IGNORECASE | re.MULTILINE
)
_RULE = re.compile(r"\s*\n[ \t]*(?:#{2,}|-{3,}|\*{3,})[ \t]*\Z")


def block(number: int, seed: SeedTask) -> str:
    """Write a task with its first instance; one that needs no input has no line for it."""
    first = seed.instances[0]
    given = f"Input: {first.input.strip()}\n" if first.input.strip() else ""
    instruction = " ".join(seed.instruction.split())
    return f"{number}. Instruction: {instruction}\n{given}Output: {first.output.strip()}"


def read_blocks(
    completion: Completion, numbering: Numbering, normalise: Callable[[str], str]
) -> tuple[Candidate, ...]:
    """Read the blocks of an answer.

    An input that says that there is none is none. Numbers are followed as those of a list are: a
    block of another number is out of order. An answer that was cut off loses its last block.
    """
    text = completion.text
    if numbering.continues:
        text = f"{numbering.first}. Instruction:{text}"
    read = [
        _candidate(body, normalise, None if in_order else ("out_of_order", detail))
        for detail, in_order, body in _split(text, numbering.first)
    ]
    if read and completion.finish_reason == "length":
        read[-1] = Candidate(read[-1].instruction, read[-1].instances, ("cut_off", ""))
    return tuple(read)


def _split(text: str, first: int) -> Iterator[tuple[str, bool, str]]:
    """Yield each block's number, whether it is one that may come next, and what stands in it."""
    marks = list(_BEGINS.finditer(text))
    ends = [*(mark.start() for mark in marks), len(text)][1:]
    expected: int | None = None
    for mark, end in zip(marks, ends, strict=True):
        number = int(mark[1])
        in_order = begins_item(number, expected, first)
        if in_order:
            expected = number + 1
        yield f"{number}.", in_order, text[mark.end() : end]


def _candidate(
    body: str, normalise: Callable[[str], str], offence: tuple[Reason, str] | None
) -> Candidate:
    body = _NUMBER.sub("", _RULE.sub("", body.rstrip()))
    first = _FIELD.search(body)
    begun = first.start() if first else len(body)
    return Candidate(normalise(body[:begun]), tuple(worked_pairs(fields_of(body[begun:]))), offence)
