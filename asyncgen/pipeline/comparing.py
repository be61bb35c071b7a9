"""Two files of JSON lines, held against each other: what is missing, extra, changed or moved."""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import orjson
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Comparison", "Difference", "What", "compare_lines"]

What = Literal["missing", "extra", "changed", "moved"]

_SHOWN = 5
"""Differences that are named; the others are counted."""

_Key: TypeAlias = "tuple[str, int]"


class Difference(Struct, frozen=True):
    """One line that is not as it should be.

    Attributes:
        line: Its number, from 1: in the file, or where it is missing the one that it should have.
        id: Of the task that it concerns; empty if the line cannot be read.
        what: Missing, extra, changed, or in another place among those that both have.
        field: The first that differs, as a dotted path; "" where that is not known.
    """

    line: int
    id: str
    what: What
    field: str = ""


class Comparison(Struct, frozen=True):
    """What became of comparing.

    Attributes:
        expected: Lines that there should be.
        found: Lines that there are.
        counts: How many lines differ, by what.
        first: The first of them, in the order of their numbers.
    """

    expected: int
    found: int
    counts: dict[What, int]
    first: tuple[Difference, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether both are the same bytes."""
        return not self.counts


def compare_lines(expected: Sequence[bytes], found: Sequence[bytes]) -> Comparison:
    """Compare lines that carry an ``id``, or the ``ordinal`` and ``position`` of a task.

    Lines of the same task are taken in their order, so that each has a name of its own.

    Args:
        expected: Lines with their ends.
        found: Likewise; they may be anything.
    """
    if expected == found:
        return Comparison(len(expected), len(found), {})
    wanted, there = _by_key(expected), _by_key(found)
    differences = [
        Difference(number, key[0], "missing")
        for key, (number, _) in wanted.items()
        if key not in there
    ]
    for key, (number, line) in there.items():
        if key not in wanted:
            differences.append(Difference(number, key[0], "extra"))
        elif line != wanted[key][1]:
            field = _first_field(_value(wanted[key][1]), _value(line))
            differences.append(Difference(number, key[0], "changed", field))
    differences += _moved(wanted, there)
    differences.sort(key=lambda one: one.line)
    counts: Counter[What] = Counter(one.what for one in differences)
    return Comparison(len(expected), len(found), dict(counts), tuple(differences[:_SHOWN]))


def _moved(
    wanted: dict[_Key, tuple[int, bytes]], there: dict[_Key, tuple[int, bytes]]
) -> list[Difference]:
    order = [key for key in wanted if key in there]
    return [
        Difference(there[is_here][0], is_here[0], "moved")
        for is_here, should in zip((key for key in there if key in wanted), order, strict=True)
        if is_here != should
    ]


def _by_key(lines: Sequence[bytes]) -> dict[_Key, tuple[int, bytes]]:
    """Return number and bytes of each line by the id of its task and a count among its like."""
    seen: Counter[str] = Counter()
    found: dict[_Key, tuple[int, bytes]] = {}
    for number, line in enumerate(lines, start=1):
        name = _id_of(_value(line))
        found[name, seen[name]] = number, line
        seen[name] += 1
    return found


def _id_of(value: object) -> str:
    if not isinstance(value, dict):
        return ""
    fields = cast("dict[str, Any]", value)
    if "id" in fields:
        return str(fields["id"])
    return "task_{}_{}".format(fields.get("ordinal", "?"), fields.get("position", "?"))


def _value(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def _first_field(one: object, other: object) -> str:
    """Return the path to the first value in which two differ; "" for the values themselves."""
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
        pairs = [(name, left.get(name), right.get(name)) for name in {**left, **right}]
    elif isinstance(one, list) and isinstance(other, list):
        both: Iterable[tuple[object, object]] = zip_longest(one, other)
        pairs = [(str(number), *pair) for number, pair in enumerate(both)]
    else:
        return ""
    for name, before, after in pairs:
        if before != after or type(before) is not type(after):
            below = _first_field(before, after)
            return f"{name}.{below}" if below else name
    return ""
