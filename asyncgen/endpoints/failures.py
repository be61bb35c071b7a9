"""What an HTTP error means: status and body code in, one of our error classes out."""

from __future__ import annotations

import math
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from asyncgen.endpoints.openai_wire import error_code, error_message
from asyncgen.errors import AsyncgenError, QuotaError, RequestRejectedError, TransientError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["failure_of", "retry_after"]

_OUT_OF_CREDIT = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_hard_limit_reached",
    }
)
_THIS_REQUEST_ONLY = frozenset(
    {
        "context_length_exceeded",
        "exceed_context_size_error",  # llama.cpp
        "content_filter",
        "content_policy_violation",
    }
)


def failure_of(
    status: int, headers: Mapping[str, str], content: bytes, *, where: str
) -> AsyncgenError | None:
    """Return the error that a response of HTTP ``status`` stands for.

    ``None`` means that the service refuses for good: host, path, key, model or
    request is wrong, and the caller finds out which. ``where`` is the endpoint's
    name; a rejected request goes without it, for that text is kept with the run.
    """
    code = error_code(content)
    said = f"HTTP {status}: {error_message(content)}"
    if status == 402 or (status == 429 and code in _OUT_OF_CREDIT):
        return QuotaError(f"{where}: the account has no credit or quota left ({said})")
    if status in {408, 409, 425, 429} or status >= 500:
        # A gateway's time-out may hide an answer that was paid for.
        return TransientError(
            f"{where}: {said}",
            retry_after=retry_after(headers),
            possibly_billed=status in {408, 504},
        )
    if status in {400, 413, 422} and (code in _THIS_REQUEST_ONLY or status == 413):
        return RequestRejectedError(said)
    if status < 400:
        return TransientError(f"{where}: unexpected {said}")
    return None


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Return the seconds that a response asks to wait: milliseconds, seconds or a date.

    Args:
        headers: Of the response; names as HTTP writes them.
        now: Unix time in seconds, for dates; the present by default.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    value = headers.get("Retry-After")
    seconds = _number(value)
    if seconds is None and value is not None:
        seconds = _until(value, time.time() if now is None else now)
    return None if seconds is None else max(0.0, seconds)


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _until(date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    # A date without a zone is in GMT: HTTP knows no other.
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now
