"""Status and body code decide what an error means; bodies as the providers write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from asyncgen.endpoints.failures import disguised_failure, failure_of
from asyncgen.errors import (
    AsyncgenError,
    BadAnswerError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    RequestRejectedError,
    TransientError,
)
from asyncgen.records import RateHint

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC).timestamp()
"""22:00 on the Pacific coast."""


def openai(message: str = "m", **fields: Any) -> bytes:
    return orjson.dumps({"error": {"message": message, **fields}})


def anthropic(kind: str, message: str = "m") -> bytes:
    return orjson.dumps({"type": "error", "error": {"type": kind, "message": message}})


def gemini(quota: str, delay: str | None) -> bytes:
    details: list[dict[str, Any]] = [
        {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": quota}],
        }
    ]
    if delay is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    error = {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED", "details": details}
    return orjson.dumps([{"error": error}])


def fail(
    status: int,
    content: bytes,
    headers: dict[str, str] | None = None,
    hints: tuple[RateHint, ...] = (),
) -> AsyncgenError | None:
    error = failure_of(status, headers or {}, content, where="http://h", hints=hints, now=NOW)
    assert error is None or len(str(error).splitlines()) == 1
    return error


# Too fast: wait, and be slower.


@pytest.mark.parametrize(
    "content",
    [
        openai("Rate limit reached", code="rate_limit_exceeded", type="tokens"),
        anthropic("rate_limit_error", "This request would exceed your rate limit"),
        gemini("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "13s"),
        b"slow, please",
        b"",
    ],
)
def test_a_rate_that_is_too_high_is_told_from_growth_that_is_too_fast(content: bytes) -> None:
    error = fail(429, content)

    assert type(error) is RateLimitedError
    assert not error.too_steep
    assert not error.possibly_billed


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (429, openai(code="slow_down")),
        (503, openai(type="slow_down")),
        (429, anthropic("rate_limit_error", "You have hit the acceleration limit")),
    ],
)
def test_growth_that_is_too_fast_is_told(status: int, content: bytes) -> None:
    error = fail(status, content)

    assert type(error) is RateLimitedError
    assert error.too_steep


def test_gemini_says_in_the_body_how_long_to_wait() -> None:
    error = fail(429, gemini("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "13.5s"))

    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 13.5


def test_a_header_goes_before_the_body() -> None:
    error = fail(429, gemini("PerMinute", "13s"), {"Retry-After": "7"})

    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 7


# No credit: only its owner can mend that.


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (402, b""),
        (429, openai(code="insufficient_quota", type="insufficient_quota")),
        (429, openai(code=None, type="insufficient_quota")),
        (429, openai(code="credit_balance_exhausted")),
        (429, openai(code="project_spend_limit_exceeded")),
        (403, openai(code="billing_hard_limit_reached")),
        (400, openai(code="billing_not_active")),
        (429, anthropic("enforced_spend_limit_reached")),
        (402, anthropic("billing_error")),
        (400, anthropic("invalid_request_error", "Your credit balance is too low to access")),
    ],
)
def test_an_account_without_credit_has_no_reset(status: int, content: bytes) -> None:
    error = fail(status, content, {"Retry-After": "1"})

    assert type(error) is QuotaError
    assert error.resets_in is None


# A day's quota: back tomorrow.


def groq(what: str) -> bytes:
    message = f"Rate limit reached for model `m` on {what}: Limit 14400, Used 14400, Requested 1."
    return openai(message, type="requests", code="rate_limit_exceeded")


@pytest.mark.parametrize("what", ["requests per day (RPD)", "tokens per day (TPD)"])
def test_a_days_quota_lets_go_when_the_service_says(what: str) -> None:
    error = fail(429, groq(what), {"Retry-After": "432"})

    assert type(error) is QuotaError
    assert error.resets_in == 432


def test_a_days_quota_is_known_by_its_headers_too() -> None:
    spent = RateHint(meter="requests", window=86_400, limit=1000, remaining=0, reset=5000)
    minute = RateHint(meter="tokens", window=60, limit=1000, remaining=0, reset=30)

    error = fail(429, openai(code="rate_limit_exceeded"), hints=(minute, spent))

    assert type(error) is QuotaError
    assert error.resets_in == 5000
    assert error.hints == (minute, spent)


def test_a_days_quota_that_is_not_used_up_is_not_the_reason() -> None:
    left = RateHint(meter="requests", window=86_400, limit=1000, remaining=1, reset=5000)

    assert type(fail(429, openai(code="rate_limit_exceeded"), hints=(left,))) is RateLimitedError


def test_a_days_quota_that_lets_go_within_a_minute_is_a_limit_like_any_other() -> None:
    error = fail(429, groq("requests per day (RPD)"), {"Retry-After": "6"})

    assert type(error) is RateLimitedError
    assert error.retry_after == 6


def test_geminis_day_ends_at_midnight_of_the_pacific_coast() -> None:
    """Whatever short delay it names besides."""
    error = fail(429, gemini("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "31s"))

    assert type(error) is QuotaError
    assert error.resets_in == 2 * 3600


def test_a_day_without_an_end_ends_at_midnight() -> None:
    error = fail(429, groq("requests per day (RPD)"))

    assert type(error) is QuotaError
    assert error.resets_in == 18 * 3600


# Trouble of the provider's own.


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (503, b"<html>Service Unavailable</html>"),
        (529, anthropic("overloaded_error", "Overloaded")),
        (500, anthropic("overloaded_error", "Overloaded")),
        (429, openai(code="engine_overloaded")),
        (529, b""),
    ],
)
def test_a_provider_with_too_much_to_do_is_told_from_a_limit(status: int, content: bytes) -> None:
    error = fail(status, content, {"Retry-After": "3"})

    assert type(error) is OverloadedError
    assert error.retry_after == 3


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (500, anthropic("api_error")),
        (504, anthropic("timeout_error")),
        (502, b"<html>Bad Gateway</html>"),
        (409, openai()),
        (400, openai("We could not parse the JSON body of your request.", code=None)),
    ],
)
def test_trouble_that_passes_is_transient(status: int, content: bytes) -> None:
    error = fail(status, content)

    assert type(error) is TransientError
    assert error.possibly_billed == (status == 504)


def test_a_service_that_says_to_try_again_is_believed() -> None:
    refusal = openai("busy", type="invalid_request_error")

    assert fail(400, refusal) is None
    assert type(fail(400, refusal, {"x-should-retry": "true"})) is TransientError


def test_a_service_that_says_not_to_try_again_is_not() -> None:
    """An outage that says so must not end every request for good."""
    assert type(fail(500, b"", {"x-should-retry": "false"})) is TransientError


# This request, or all of them.


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (400, openai(code="context_length_exceeded")),
        (400, openai("This model's maximum context length is 2048 tokens.", code=400)),
        (400, anthropic("invalid_request_error", "prompt is too long: 200001 tokens > 200000")),
        (413, anthropic("request_too_large")),
        (400, openai(code="content_filter")),
        (422, openai(code="content_policy_violation")),
    ],
)
def test_a_request_that_can_never_be_answered_is_rejected_alone(
    status: int, content: bytes
) -> None:
    error = fail(status, content)

    assert type(error) is RequestRejectedError
    assert str(error).startswith(f"HTTP {status}: ")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (400, "invalid_request_error"),
    ],
)
def test_a_refusal_for_good_is_left_to_be_explained(status: int, kind: str) -> None:
    assert fail(status, anthropic(kind)) is None
    assert fail(status, openai(type=kind)) is None


# HTTP 200 with an error in it.


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": 429, "message": "slow"}, RateLimitedError),
        ({"code": 402, "message": "no credit"}, QuotaError),
        ({"code": 429, "type": "insufficient_quota"}, QuotaError),
        ({"code": 503, "message": "down"}, OverloadedError),
        ({"code": 502, "message": "the model behind it fell over"}, BadAnswerError),
        ({"code": "server_error"}, BadAnswerError),
        ("out of memory", BadAnswerError),
    ],
)
def test_an_error_in_the_disguise_of_success_has_its_class(
    error: Any, expected: type[AsyncgenError]
) -> None:
    assert type(disguised_failure({"error": error}, where="http://h")) is expected


@pytest.mark.parametrize("body", [{}, {"error": None}, {"error": ""}, [], None, "error"])
def test_a_body_without_an_error_has_none(body: Any) -> None:
    assert disguised_failure(body, where="http://h") is None
