"""Splitting a numbered list into its items, by its numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from asyncgen.pipeline.profiles.values import Items

if TYPE_CHECKING:
    from asyncgen.pipeline.profiles.values import Numbering
    from asyncgen.records import Completion

__all__ = ["begins_item", "numbered_items", "tidied"]

# "9. ", "9) ", "**9.** ", "Task 9: ", "９．", "9、", "（9）", in digits of any script; the number
# decides whether it begins an item.
_NUMBER = re.compile(r"^\s*(?:\*\*)?(?:Task\s+)?（?(\d{1,4})\s?[.):．、）：]\s?(?:\*\*(?=\s))?\s*")
# Of "1、2" in an instruction the first is no number of the list.
_AGAIN = re.compile(r"^\s*(?:\*\*)?(?:Task\s+)?(\d{1,4})\s?[.):]\s?(?:\*\*(?=\s))?\s*")
_LIST_ITEM = re.compile(r"^(?:(?:[-*•]|\d{1,4}[.)]|[A-Za-z][.)])\s|（?\d{1,4}[．、）])")
_BOLD = re.compile(r"^\*\*([^*\n]+)\*\*")


def numbered_items(completion: Completion, numbering: Numbering) -> Items:
    """Split a numbered list into its items.

    A line begins an item only if it carries the next number, or one of the two
    after it: other numbers belong to lists inside an item. A list that starts anew at 1 is
    followed from there. An answer that was cut off loses only its last item.
    """
    text = completion.text
    if numbering.continues:
        text = f"{numbering.first}.{text}"
    items: list[list[str]] = []
    expected: int | None = None
    for line in text.splitlines():
        match = _NUMBER.match(line)
        number = int(match[1]) if match else None
        if (
            match is not None
            and number is not None
            and begins_item(number, expected, numbering.first)
        ):
            items.append([_without_numbers(line[match.end() :])])
            expected = number + 1
        elif items:
            items[-1].append(line)

    cut = completion.finish_reason == "length" and bool(items)
    return Items(tuple("\n".join(lines) for lines in items), lost=int(cut))


def tidied(text: str) -> str:
    """Return an item in its own case: wrapped prose on one line, lists on theirs.

    Bold type around its beginning, as chat models write headings, is taken off.
    """
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if lines:
        lines[0] = _plain(lines[0])
    if any(_LIST_ITEM.match(line) for line in lines[1:]):
        return "\n".join(lines)
    return " ".join(lines)


def _plain(line: str) -> str:
    """Take bold type off; where the number stood within it, only its end is left."""
    if line.endswith("**") and line.count("**") == 1:
        return line.removesuffix("**")
    return _BOLD.sub(r"\1", line)


def begins_item(number: int, expected: int | None, first_number: int) -> bool:
    """Whether a line with this number begins an item; small models skip one now and then."""
    if expected is None:
        return number in {1, first_number}
    return expected <= number <= expected + 2


def _without_numbers(line: str) -> str:
    """Take away further numbers: small models write "9. 14. Name a river."."""
    while match := _AGAIN.match(line):
        line = line[match.end() :]
    return line
