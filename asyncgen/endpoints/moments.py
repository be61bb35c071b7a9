"""When a service says to come back: durations and dates in every form that they come in."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

__all__ = ["number", "retry_after", "seconds_until", "until_midnight"]

_UNITS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_SMALL_UNITS = {"ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DIGITS = frozenset("0123456789")
_AN_EPOCH = 1e9
"""Seconds. A number from here on is a point in time (2001 or later), not a duration."""

_MILLISECONDS = 1e11
"""A point in time from here on is in milliseconds."""


def seconds_until(text: str, now: float) -> float | None:
    """Return the seconds until a moment, at least 0; ``None`` if the text names none.

    Durations (``1s``, ``6m0s``, ``120ms``, ``1h2m3.5s``), plain seconds, unix
    time in seconds or milliseconds, RFC 3339 times and HTTP dates are read.

    Args:
        text: As it came in a header or a body.
        now: Unix time in seconds.
    """
    if text[-1:] in _UNITS:
        return _duration(text)
    seconds = number(text)
    if seconds is None:
        moment = _moment(text)
        return None if moment is None else max(0.0, moment - now)
    if seconds >= _MILLISECONDS:
        seconds /= 1000
    return max(0.0, seconds - now if seconds >= _AN_EPOCH else seconds)


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds that headers ask to wait: milliseconds, seconds or a date.

    Args:
        headers: Of the response; names as HTTP writes them.
        now: Unix time in seconds, for dates.
    """
    milliseconds = number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    value = headers.get("Retry-After")
    return None if value is None else seconds_until(value, now)


def until_midnight(zone: str, otherwise: float, now: float) -> float:
    """Return the seconds until the next midnight in a time zone.

    Args:
        zone: Its name in the IANA database.
        otherwise: Its hours east of Greenwich, where there is no such database.
        now: Unix time in seconds.
    """
    try:
        there: tzinfo = ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        there = timezone(timedelta(hours=otherwise))
    local = datetime.fromtimestamp(now, there)
    tomorrow = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return tomorrow.timestamp() - now


def number(text: str | None) -> float | None:
    """Return a finite number, ``None`` for any other text."""
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _duration(text: str) -> float | None:
    """Return the seconds of numbers with units; not by a regex, which takes five times as long."""
    small = _SMALL_UNITS.get(text[-2:])
    unit, digits = (_UNITS[text[-1]], text[:-1]) if small is None else (small, text[:-2])
    # Nearly all are one number and one unit; a float would take a blank between them as well.
    if digits[-1:] in _DIGITS:
        seconds = number(digits)
        if seconds is not None:
            return unit * seconds if seconds >= 0 else None
    for name, size in _UNITS.items():
        head, _, tail = text.partition(name)
        if head.isdecimal() and tail[-1:] in _UNITS:
            rest, first = _duration(tail), number(head)
            return None if rest is None or first is None else size * first + rest

    return None


@lru_cache(maxsize=256)
def _moment(date: str) -> float | None:
    """Return the unix time of a date; many answers name the same."""
    try:
        moment = datetime.fromisoformat(date) if date[:4].isdigit() else parsedate_to_datetime(date)
    except ValueError:
        return None
    # A date without a zone is in GMT: HTTP knows no other.
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
