"""What an HTTP error means: status and body code in, one of our error classes out."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from asyncgen.endpoints.openai_wire import error_code, error_message
from asyncgen.errors import AsyncgenError, RequestRejectedError, RunPausedError, TransientError

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
    {"context_length_exceeded", "content_filter", "content_policy_violation"}
)


def failure_of(status: int, headers: Mapping[str, str], content: bytes) -> AsyncgenError | None:
    """Return the error that a response of HTTP ``status`` stands for.

    ``None`` means that the service refuses for good: host, path, key, model or
    request is wrong, and the caller finds out which.
    """
    code = error_code(content)
    said = f"HTTP {status}: {error_message(content)}"
    if status == 402 or (status == 429 and code in _OUT_OF_CREDIT):
        return RunPausedError(f"the account has no credit or quota left ({said})")
    if status in {408, 409, 425, 429} or status >= 500:
        # A gateway's time-out may hide an answer that was paid for.
        return TransientError(
            said, retry_after=retry_after(headers), possibly_billed=status in {408, 504}
        )
    if status in {400, 413, 422} and (code in _THIS_REQUEST_ONLY or status == 413):
        return RequestRejectedError(said)
    if status < 400:
        return TransientError(f"unexpected {said}")
    return None


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Return the seconds that a response asks to wait: milliseconds, seconds or a date.

    Args:
        headers: Of the response; names as HTTP writes them.
        now: Unix time in seconds, for dates; the present by default.
    """
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return max(0.0, float(milliseconds) / 1000)
        if (value := headers.get("Retry-After")) is None:
            return None
        return max(0.0, _seconds(value, now))
    except ValueError:
        return None


def _seconds(value: str, now: float | None) -> float:
    if value.replace(".", "", 1).isdigit():
        return float(value)
    if now is None:
        import time

        now = time.time()
    return parsedate_to_datetime(value).timestamp() - now
