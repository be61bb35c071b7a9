"""What response headers say of rate limits: one table, plain functions.

The same name means a minute at one host and a day at another, so that the
window is a matter of the host; see :data:`_TABLE`. Sources: the providers'
pages on rate limits (OpenAI, Azure, Anthropic, Groq, Together), 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from asyncgen.endpoints.moments import number, seconds_until
from asyncgen.records import Meter, RateHint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncgen.settings import HeaderFamily

__all__ = ["family_of", "hints_of"]

_MINUTE, _DAY = 60.0, 86_400.0


class _Row(NamedTuple):
    """The headers of one limit.

    Attributes:
        window: Seconds over which it counts.
        certain: Whether that is known; ``None`` if the values decide.
    """

    meter: Meter
    window: float
    limit: str
    remaining: str
    reset: str
    certain: bool | None = True


def _row(meter: Meter, window: float, names: str, *, certain: bool | None = True) -> _Row:
    limit, remaining, reset = (names.format(part) for part in ("limit", "remaining", "reset"))
    return _Row(meter, window, limit, remaining, reset, certain)


_REQUESTS, _TOKENS = "x-ratelimit-{}-requests", "x-ratelimit-{}-tokens"
_ANTHROPIC = (
    _row("requests", _MINUTE, "anthropic-ratelimit-requests-{}"),
    _row("tokens", _MINUTE, "anthropic-ratelimit-tokens-{}"),
    _row("input_tokens", _MINUTE, "anthropic-ratelimit-input-tokens-{}"),
    _row("output_tokens", _MINUTE, "anthropic-ratelimit-output-tokens-{}"),
)
_TABLE: dict[HeaderFamily, tuple[_Row, ...]] = {
    "openai": (_row("requests", _MINUTE, _REQUESTS), _row("tokens", _MINUTE, _TOKENS)),
    # Its requests are those left of ten seconds, beside the limit of a minute if it is told.
    "azure": (
        _row("requests", _MINUTE, _REQUESTS, certain=False),
        _row("tokens", _MINUTE, _TOKENS),
    ),
    "anthropic": _ANTHROPIC,
    "groq": (_row("requests", _DAY, _REQUESTS), _row("tokens", _MINUTE, _TOKENS)),
    "together": (
        _row("requests", 1.0, "x-ratelimit-{}"),
        _row("tokens", 1.0, "x-ratelimit-{}-tokens"),
        _row("tokens", 1.0, "x-tokenlimit-{}"),
    ),
    "none": (),
    # Anybody may use OpenAI's names; Anthropic's carry its own.
    "auto": (
        _row("requests", _MINUTE, _REQUESTS, certain=None),
        _row("tokens", _MINUTE, _TOKENS, certain=None),
        *_ANTHROPIC,
    ),
}
_HOSTS: tuple[tuple[str, HeaderFamily], ...] = (
    ("api.openai.com", "openai"),
    ("openai.azure.com", "azure"),
    ("cognitiveservices.azure.com", "azure"),
    ("services.ai.azure.com", "azure"),
    ("api.anthropic.com", "anthropic"),
    ("api.groq.com", "groq"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
)


def family_of(base_url: str, told: HeaderFamily = "auto") -> HeaderFamily:
    """Return whose headers an endpoint sends: as the settings say, else by its host.

    A host that is not known stays ``auto``.
    """
    if told != "auto":
        return told
    host = urlsplit(base_url).hostname or ""
    for name, family in _HOSTS:
        if host == name or host.endswith(f".{name}"):
            return family

    return "auto"


def hints_of(headers: Mapping[str, str], family: HeaderFamily, now: float) -> tuple[RateHint, ...]:
    """Return what the headers of a response say of limits; nothing where they say nothing.

    Args:
        headers: Of the response; names are looked up in lower case.
        family: See :func:`family_of`.
        now: Unix time in seconds.
    """
    found: list[RateHint] = []
    get = headers.get
    for row in _TABLE[family]:
        limit, remaining = get(row.limit), get(row.remaining)
        if limit is None and remaining is None:
            continue
        reset = get(row.reset)
        allowed, left = _amount(limit), _amount(remaining)
        seconds = None if reset is None else seconds_until(reset, now)
        found.append(
            RateHint(
                meter=row.meter,
                window=row.window,
                limit=allowed,
                remaining=left,
                reset=seconds,
                certain=row.certain
                if row.certain is not None
                else _is_of_a_minute(allowed, left, seconds, rounded=_in_whole_seconds(reset)),
            )
        )

    return tuple(found)


def _amount(text: str | None) -> float | None:
    value = number(text)
    return None if value is None or value < 0 else value


def _in_whole_seconds(reset: str | None) -> bool:
    """Return whether a reset is a number or a date without a fraction; durations are exact."""
    return reset is not None and reset[-1:] not in "smhd" and "." not in reset


def _is_of_a_minute(
    limit: float | None, remaining: float | None, reset: float | None, *, rounded: bool
) -> bool:
    """Return whether a limit that is refilled within a minute, and no other, explains the values.

    What was used of a whole minute comes back in ``60 · used / limit`` seconds,
    less where only a burst can be used at once: a longer wait is that of a day, or of
    a fixed window. A second's limit comes back in ``used / limit``. Where nothing
    is used, the values do not tell.

    Args:
        limit: How much is allowed in the window.
        remaining: How much is left of it.
        reset: Seconds until it is whole again.
        rounded: Whether ``reset`` is in whole seconds.
    """
    if limit is None or remaining is None or not remaining < limit or not reset:
        return False
    used = limit - remaining
    a_unit = _MINUTE / limit
    if reset > used * a_unit + a_unit + (1.0 if rounded else 0.01):
        return False
    return reset > 1 or not (rounded or abs(reset * limit - used) <= 1 + 0.02 * used)
