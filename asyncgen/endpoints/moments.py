"""When a service says to come back: durations and dates in every form that they come in."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

__all__ = ["number", "retry_after", "seconds_until", "until_midnight"]

_DURATION = re.compile(
    r"(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m(?!s))?"
    r"(?:(?P<s>\d+(?:\.\d+)?)s)?(?:(?P<ms>\d+(?:\.\d+)?)ms)?(?:\d+(?:\.\d+)?[uµn]s)?"
)
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
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
    seconds = number(text)
    if seconds is not None:
        if seconds >= _MILLISECONDS:
            seconds /= 1000
        if seconds >= _AN_EPOCH:
            seconds -= now
    else:
        seconds = _duration(text)
        if seconds is None:
            seconds = _date(text, now)
    return None if seconds is None else max(0.0, seconds)


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
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _duration(text: str) -> float | None:
    # Most are this simple.
    scale, digits = (0.001, text[:-2]) if text.endswith("ms") else (1.0, text[:-1])
    if text.endswith("s") and digits[-1:].isdigit():
        seconds = number(digits)
        if seconds is not None:
            return scale * seconds
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        return None
    return sum(_UNITS[unit] * float(part) for unit, part in found.groupdict("0").items())


def _date(text: str, now: float) -> float | None:
    try:
        moment = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
    except ValueError:
        return None
    # A date without a zone is in GMT: HTTP knows no other.
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now
