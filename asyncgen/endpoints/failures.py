"""What an HTTP error means: status and body code in, one of our error classes out."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncgen.endpoints.bodies import (
    error_message,
    error_of,
    error_words,
    parsed_or_none,
    said_by,
    table,
)
from asyncgen.endpoints.moments import retry_after, seconds_until, until_midnight
from asyncgen.errors import (
    AsyncgenError,
    BadAnswerError,
    EndpointError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    RequestRejectedError,
    TransientError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncgen.records import RateHint

__all__ = ["disguised_failure", "failure_of"]

_OUT_OF_CREDIT = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_hard_limit_reached",
        "billing_not_active",
        "enforced_spend_limit_reached",
        "billing_error",
    }
)
_THIS_REQUEST_ONLY = frozenset(
    {
        "context_length_exceeded",
        "string_above_max_length",
        "exceed_context_size_error",  # llama.cpp
        "content_filter",
        "content_policy_violation",
        "request_too_large",
    }
)
_OVERLOADED = frozenset({"overloaded_error", "engine_overloaded", "server_overloaded"})
_SLOW_DOWN = "slow_down"
_SAYS_NO_CREDIT = re.compile(r"credit balance is too low", re.IGNORECASE)
_SAYS_TOO_LONG = re.compile(
    # Anthropic, vLLM and its kin, Gemini: they have no code for it.
    r"prompt is too long|maximum context length|exceed context limit|input token count .* exceeds",
    re.IGNORECASE,
)
_SAYS_TOO_STEEP = re.compile(r"\bacceleration|\bslow.?down|\bramp", re.IGNORECASE)
_SAYS_DAY = re.compile(
    r"\bper[ _-]?day\b|\((?:RPD|TPD)\)|PerDay|daily (?:limit|quota)", re.IGNORECASE
)
_SPURIOUS = re.compile(r"could not parse the JSON body", re.IGNORECASE)
"""OpenAI says so of bodies that are good, now and then."""

_SHORT = 60.0
"""Seconds. A day's quota that lets go sooner rolls on, and is waited for like any limit."""


def failure_of(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    where: str,
    hints: tuple[RateHint, ...] = (),
    now: float | None = None,
) -> AsyncgenError | None:
    """Return the error that a response of HTTP ``status`` stands for.

    ``None`` means that the service refuses for good: host, path, key, model or
    request is wrong, and the caller finds out which. A header ``x-should-retry:
    true`` makes any refusal worth another attempt; ``false`` is not believed, for an
    outage that says so would end every request for good.

    Args:
        status: Of the response.
        headers: Of the response.
        content: Its body.
        where: The endpoint's name; a rejected request goes without it, for that text is kept
            with the run.
        hints: What the headers say of limits; the error carries it.
        now: Unix time in seconds; the present by default.
    """
    response = _Response(
        status, headers, parsed_or_none(content), hints, time.time() if now is None else now
    )
    said = f"HTTP {status}: {response.message or error_message(content)}"
    error = _failure(response, said, where)
    if error is None and headers.get("x-should-retry") == "true":
        error = TransientError(f"{where}: {said}")
    if isinstance(error, TransientError):
        error.retry_after = response.wait
    if isinstance(error, EndpointError):
        error.hints = hints
    return error


@dataclass(frozen=True, slots=True)
class _Response:
    """What a failed response tells."""

    status: int
    headers: Mapping[str, str]
    body: Any
    hints: tuple[RateHint, ...]
    now: float

    @property
    def words(self) -> frozenset[str]:
        """The words by which the error is known."""
        return frozenset(error_words(self.body))

    @property
    def message(self) -> str:
        """What the error says, if it says so in the usual form."""
        return said_by(self.body)

    @property
    def wait(self) -> float | None:
        """The seconds to wait, by the headers or Gemini's ``RetryInfo`` in the body."""
        asked = retry_after(self.headers, now=self.now)
        if asked is not None:
            return asked
        delays = (detail.get("retryDelay") for detail in self._details())
        said = next((delay for delay in delays if isinstance(delay, str)), None)
        return None if said is None else seconds_until(said, self.now)

    @property
    def quotas(self) -> str:
        """The names of the quotas that Gemini says were exceeded."""
        violations = (detail.get("violations") for detail in self._details())
        found = (item for items in violations if isinstance(items, list) for item in items)
        return " ".join(str(table(item).get("quotaId")) for item in found)

    def _details(self) -> list[Mapping[str, Any]]:
        details = error_of(self.body).get("details")
        return [table(detail) for detail in details] if isinstance(details, list) else []


def _failure(response: _Response, said: str, where: str) -> AsyncgenError | None:
    status, words = response.status, response.words
    if _is_about_money(status, words, said):
        return QuotaError(f"{where}: the account has no credit or quota left ({said})")
    if words & _OVERLOADED or (status in {503, 529} and _SLOW_DOWN not in words):
        return OverloadedError(f"{where}: {said}")
    if status == 429 or _SLOW_DOWN in words:
        return _too_fast(response, said, where)
    if _is_too_much(status, words, said):
        return RequestRejectedError(said)
    if _is_transient(status, said):
        odd = "unexpected " if status < 400 else ""
        # A gateway's time-out may hide an answer that was paid for.
        return TransientError(f"{where}: {odd}{said}", possibly_billed=status in {408, 504})
    return None


def _is_transient(status: int, said: str) -> bool:
    return (
        status < 400
        or status >= 500
        or status in {408, 409, 425}
        or (status == 400 and bool(_SPURIOUS.search(said)))
    )


def _is_about_money(status: int, words: frozenset[str], said: str) -> bool:
    return (
        status == 402
        or (status in {400, 403, 429} and bool(words & _OUT_OF_CREDIT))
        or (status in {400, 403} and bool(_SAYS_NO_CREDIT.search(said)))
    )


def _is_too_much(status: int, words: frozenset[str], said: str) -> bool:
    return status == 413 or (
        status in {400, 422} and bool(words & _THIS_REQUEST_ONLY or _SAYS_TOO_LONG.search(said))
    )


def _too_fast(response: _Response, said: str, where: str) -> EndpointError:
    """Tell a limit of a minute from one of a day, and both from growth that is too fast."""
    seconds = _until_next_day(response, said)
    if seconds is not None:
        return QuotaError(f"{where}: the day's quota is used up ({said})", resets_in=seconds)
    too_steep = _SLOW_DOWN in response.words or bool(_SAYS_TOO_STEEP.search(said))
    return RateLimitedError(f"{where}: {said}", too_steep=too_steep)


def _until_next_day(response: _Response, said: str) -> float | None:
    """Return the seconds until a day's quota lets go again, ``None`` if it is not used up."""
    if "PerDay" in response.quotas:
        # Gemini: at midnight of the Pacific coast, whatever short delay stands beside it.
        return until_midnight("America/Los_Angeles", -8, response.now)
    spent = [hint for hint in response.hints if hint.window > 3600 and hint.remaining == 0]
    if not spent and not _SAYS_DAY.search(said):
        return None
    resets = [hint.reset for hint in spent if hint.reset is not None]
    seconds = response.wait if response.wait is not None else max(resets, default=None)
    if seconds is None:
        return until_midnight("UTC", 0, response.now)
    return seconds if seconds > _SHORT else None


def disguised_failure(body: Any, *, where: str) -> AsyncgenError | None:
    """Return the error that a body of HTTP 200 stands for, ``None`` if it holds none.

    Gateways pass on what went wrong behind them with its status as the code.
    """
    error = table(body).get("error")
    if not error:
        return None
    code, said = error_of(body).get("code"), said_by(body)
    if isinstance(code, int) and code in {402, 429, 503, 529}:
        words = frozenset(error_words(body))
        if _is_about_money(code, words, said):
            return QuotaError(f"{where}: the account has no credit or quota left ({said})")
        kind = RateLimitedError if code == 429 else OverloadedError
        return kind(f"{where}: HTTP 200, but the error {code}: {said}")
    return BadAnswerError(f"{where}: HTTP 200, but an error: {said}")
