"""Changing fields of a JSON object without touching its other bytes.

The scanning is lexical: it knows strings and brackets and trusts that the object
was read by a parser before.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["NEXT_BRACKET", "STRING", "with_members"]

# Possessive throughout: a scanner never looks back.
_STRING = rb'"(?:[^"\\]++|\\.)*+"'
STRING = re.compile(_STRING, re.DOTALL)
"""One JSON string."""

NEXT_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING + rb")*+([{}\[\]])", re.DOTALL)
"""Up to and with the next bracket that stands outside of a string."""

_NEXT_MARK = re.compile(rb'(?:[^"{}\[\],]++|' + _STRING + rb")*+([{}\[\],])", re.DOTALL)
_BLANKS = b" \t\r\n"


def with_members(raw: bytes, members: Mapping[str, bytes]) -> bytes:
    """Return an object with members added behind its last one.

    Those that it has under the same names go; all other bytes stay.

    Args:
        raw: The object; blanks around it are kept.
        members: Names and values, as JSON.
    """
    # A name may also be written with escapes: only a closer look tells.
    if b"\\u" in raw or any(name.encode() in raw for name in members):
        raw = _without(raw, members)
    end = raw.rindex(b"}")
    last = len(raw[:end].rstrip(_BLANKS))
    added = b", ".join(b'"%s": %s' % (name.encode(), value) for name, value in members.items())
    comma = b"" if raw[last - 1 : last] == b"{" else b", "
    return raw[:last] + comma + added + raw[last:]


def _without(raw: bytes, names: Mapping[str, bytes]) -> bytes:
    start, end = raw.index(b"{") + 1, raw.rindex(b"}")
    found = list(_members(raw, start, end))
    kept = [member for member in found if _name_of(member) not in names]
    if len(kept) == len(found):
        return raw
    return raw[:start] + b",".join(kept) + raw[end:]


def _members(raw: bytes, start: int, end: int) -> Iterator[bytes]:
    """Cut between braces at the commas that belong to this object."""
    at, depth = start, 0
    while (mark := _NEXT_MARK.match(raw, at, end)) is not None:
        at = mark.end()
        match mark[1]:
            case b"{" | b"[":
                depth += 1
            case b"}" | b"]":
                depth -= 1
            case _ if depth == 0:
                yield raw[start : at - 1]
                start = at
            case _:
                pass
    yield raw[start:end]


def _name_of(member: bytes) -> str | None:
    """Return a member's name; ``None`` of the blanks in an empty object."""
    name = STRING.search(member)
    return None if name is None else str(json.loads(name[0]))
