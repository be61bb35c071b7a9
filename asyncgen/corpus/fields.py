"""Which of a row's fields is the text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import orjson

from asyncgen.corpus.rows import BadRow, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DEFAULT", "Field", "json_row", "listed"]

DEFAULT = "instruction"
"""The field that holds the text where nothing else is said."""

_MISSING = object()
_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}
_NAMES_SHOWN = 20


class Field:
    """The field that holds the text: the first of these names that a row has.

    A name is looked up as it is. If the row has no such field and the name holds
    dots, it is a path: ``messages.0.content`` is the field "content" of the
    first element of the field "messages".

    Args:
        name: What was asked for.
        others: What else may be there instead.
        mend: Said behind the fields that a row has, if it has none of these.
    """

    def __init__(self, name: str, *others: str, mend: str = "") -> None:
        self.name = name
        self._mend = mend
        self.names = (name, *others)

    def text(self, fields: dict[str, Any]) -> str | None:
        """Return the text, or ``None`` if there is none; ``problem`` says why."""
        value = fields.get(self.name, _MISSING)
        if value is _MISSING:
            value = self._value(fields)
        return value if isinstance(value, str) else None

    def problem(self, fields: dict[str, Any]) -> str:
        """Return why ``text`` found none."""
        value = self._value(fields)
        if value is _MISSING:
            return f"no field '{self.name}'; it has: {listed(fields)}{self._mend}"
        first = f": name its first element '{self.name}.0'" if _holds_texts(value) else ""
        return f"the field '{self.name}' is {_kind(value)}, not a string{first}"

    def _value(self, fields: dict[str, Any]) -> object:
        for name in self.names:
            value = fields[name] if name in fields else _walk(fields, name)
            if value is not _MISSING:
                return value
        return _MISSING


def listed(names: Iterable[str]) -> str:
    """Return names for a message, not too many of them."""
    every = list(names)
    more = f", … ({len(every)} in all)" if len(every) > _NAMES_SHOWN else ""
    return ", ".join(every[:_NAMES_SHOWN]) + more if every else "none"


def json_row(raw: bytes, number: int, field: Field) -> Row | BadRow:
    """Return the row that a JSON object makes; blanks around it are kept."""
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _lenient(raw, number, field)
    return _row(raw, value, number, field)


def _lenient(raw: bytes, number: int, field: Field) -> Row | BadRow:
    """Read what Python's own module writes though it is no JSON: NaN, half a surrogate pair."""
    try:
        # Integers of any length: the row's bytes are kept, its numbers never used.
        row = _row(raw, json.loads(raw.decode(), parse_int=float), number, field)
        if isinstance(row, Row):
            row.text.encode()
    except UnicodeDecodeError as error:
        return BadRow(number, f"not UTF-8 (byte {raw[error.start]:#04x})")
    except UnicodeEncodeError as error:
        return BadRow(number, f"the field '{field.name}' is not Unicode text ({error.reason})")
    except RecursionError:
        return BadRow(number, "nested too deeply")
    except ValueError as error:
        return BadRow(number, f"not JSON: {error}")
    return row


def _row(raw: bytes, value: object, number: int, field: Field) -> Row | BadRow:
    if not isinstance(value, dict):
        return BadRow(number, f"not an object but {_kind(value)}")
    fields = cast("dict[str, Any]", value)
    text = field.text(fields)
    return BadRow(number, field.problem(fields)) if text is None else Row(raw, text, number)


def _holds_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], str)


def _kind(value: object) -> str:
    return _KINDS[type(value)]


def _walk(value: object, path: str) -> object:
    names = path.split(".")
    for name in names if len(names) > 1 else ():
        if isinstance(value, dict):
            value = cast("dict[str, object]", value).get(name, _MISSING)
        elif isinstance(value, list) and name.isdecimal():
            elements = cast("list[object]", value)
            value = elements[int(name)] if int(name) < len(elements) else _MISSING
        else:
            return _MISSING
    return value if len(names) > 1 else _MISSING
