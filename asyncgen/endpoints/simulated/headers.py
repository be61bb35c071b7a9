"""Rate-limit headers and the texts of times, as each provider writes them. Plain functions.

``remaining`` is what may be used at once, ``reset`` when all of that is there again: with the
default burst of a second both are small.  Formats: OpenAI, Groq ``1s``, ``6m0s``, ``120ms``;
Anthropic RFC 3339; Together everything per second; Azure tells no resets.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncgen.endpoints.simulated.buckets import BucketView, LimitName
    from asyncgen.endpoints.simulated.options import Family

__all__ = ["duration", "limit_headers", "retry_headers", "timestamp"]


def limit_headers(family: Family, views: Sequence[BucketView], wall: float) -> str:
    """Return the header lines that tell the limits.

    Args:
        family: Whose.
        views: The limits.
        wall: Unix time in seconds.
    """
    writer = _WRITERS.get(family)
    return writer(views, wall) if writer is not None and views else ""


def retry_headers(family: Family, seconds: float) -> str:
    """Return the header lines that tell when to come again; whole seconds are rounded up."""
    whole = f"retry-after: {max(1, math.ceil(seconds))}\r\n"
    if family in {"openai", "azure"}:
        return f"{whole}retry-after-ms: {max(1, math.ceil(seconds * 1000))}\r\n"
    return whole


def duration(seconds: float) -> str:
    """Write a time as OpenAI does: ``120ms``, ``1s``, ``7.66s``, ``6m0s``, ``1h2m3s``."""
    milliseconds = math.ceil(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:g}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def timestamp(wall: float) -> str:
    """Write a Unix time as Anthropic does: RFC 3339 in UTC, whole seconds, rounded up."""
    return datetime.fromtimestamp(math.ceil(wall), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _named(views: Sequence[BucketView], names: Sequence[LimitName]) -> BucketView | None:
    """Return the tightest of the limits of these names, ``None`` if there is none."""
    found = [view for view in views if view.name in names]
    return min(found, key=lambda view: view.remaining / view.limit, default=None)


_REQUESTS: tuple[LimitName, ...] = ("requests",)
_TOKENS: tuple[LimitName, ...] = ("tokens", "input_tokens", "output_tokens")


def _openai(views: Sequence[BucketView], _wall: float) -> str:
    lines = _openai_lines("requests", _named(views, ("requests", "requests_day")))
    return lines + _openai_lines("tokens", _named(views, _TOKENS))


def _groq(views: Sequence[BucketView], _wall: float) -> str:
    # The same names as OpenAI's, but requests are counted by the day.
    lines = _openai_lines("requests", _named(views, ("requests_day",)))
    return lines + _openai_lines("tokens", _named(views, _TOKENS))


def _openai_lines(kind: str, view: BucketView | None) -> str:
    if view is None:
        return ""
    return (
        f"x-ratelimit-limit-{kind}: {view.limit:.0f}\r\n"
        f"x-ratelimit-remaining-{kind}: {int(view.remaining)}\r\n"
        f"x-ratelimit-reset-{kind}: {duration(view.full_in)}\r\n"
    )


def _azure(views: Sequence[BucketView], _wall: float) -> str:
    lines = ""
    for kind, names in (("requests", _REQUESTS), ("tokens", _TOKENS)):
        view = _named(views, names)
        if view is not None:
            lines += (
                f"x-ratelimit-limit-{kind}: {view.limit:.0f}\r\n"
                f"x-ratelimit-remaining-{kind}: {int(view.remaining)}\r\n"
            )
    return lines


def _anthropic(views: Sequence[BucketView], wall: float) -> str:
    shown = [(view.name.replace("_", "-"), view) for view in views if view.name != "requests_day"]
    tightest = _named(views, _TOKENS)
    if tightest is not None and tightest.name != "tokens":
        shown.append(("tokens", tightest))
    return "".join(
        f"anthropic-ratelimit-{kind}-limit: {view.limit:.0f}\r\n"
        f"anthropic-ratelimit-{kind}-remaining: {int(view.remaining)}\r\n"
        f"anthropic-ratelimit-{kind}-reset: {timestamp(wall + view.full_in)}\r\n"
        for kind, view in shown
    )


def _together(views: Sequence[BucketView], _wall: float) -> str:
    lines = ""
    for suffix, names in (("", _REQUESTS), ("-tokens", _TOKENS)):
        view = _named(views, names)
        if view is not None:
            lines += (
                f"x-ratelimit-limit{suffix}: {view.limit / 60:g}\r\n"
                f"x-ratelimit-remaining{suffix}: {int(view.remaining)}\r\n"
                f"x-ratelimit-reset{suffix}: {math.ceil(view.full_in)}\r\n"
            )
    return lines


_WRITERS: dict[Family, Callable[[Sequence[BucketView], float], str]] = {
    "openai": _openai,
    "azure": _azure,
    "anthropic": _anthropic,
    "groq": _groq,
    "together": _together,
}
