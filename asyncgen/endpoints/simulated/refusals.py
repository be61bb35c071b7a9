"""Error bodies as the providers write them. Plain functions from what happened to bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from asyncgen.endpoints.simulated.headers import duration

if TYPE_CHECKING:
    from asyncgen.endpoints.simulated.buckets import Refusal
    from asyncgen.endpoints.simulated.dialects import Complaint
    from asyncgen.endpoints.simulated.options import Family, Fault

__all__ = ["complaint_body", "fault_error", "over_concurrency", "over_limit"]

_LIMIT_NAMES = {
    "requests": "requests per min (RPM)",
    "requests_day": "requests per day (RPD)",
    "tokens": "tokens per min (TPM)",
    "input_tokens": "input tokens per min (ITPM)",
    "output_tokens": "output tokens per min (OTPM)",
}

_SERVER_ERRORS: dict[str, tuple[int, str, str]] = {
    "500": (500, "The server had an error while processing your request", "internal_error"),
    "502": (502, "Bad gateway", "bad_gateway"),
    "503": (503, "The engine is currently overloaded, please try again later", "overloaded"),
    "504": (504, "The upstream server did not answer in time", "gateway_timeout"),
    "529": (529, "Overloaded", "overloaded_error"),
}


def over_limit(family: Family, refusal: Refusal) -> bytes:
    """Write the body of a 429 for a limit."""
    view = refusal.limit
    name = _LIMIT_NAMES[view.name]
    if refusal.seconds is None:
        advice = "The request is too large for it and must be reduced."
    else:
        advice = f"Please try again in {duration(refusal.seconds)}."
    message = (
        f"Rate limit reached for {name}: Limit {view.limit:.0f}, "
        f"Remaining {int(view.remaining)}, Requested {refusal.asked:.0f}. {advice}"
    )
    kind = "requests" if view.name.startswith("requests") else "tokens"
    return _rate_limited(family, message, kind)


def over_concurrency(family: Family, limit: int) -> bytes:
    """Write the body of a 429 for too many requests at once."""
    message = f"Too many concurrent requests: at most {limit} are processed at a time."
    return _rate_limited(family, message, "requests")


def complaint_body(family: Family, complaint: Complaint) -> bytes:
    """Write the body that says what is wrong with a request."""
    kind = "not_found_error" if complaint.status == 404 else "invalid_request_error"
    return _error(family, complaint.message, kind, complaint.code)


def fault_error(fault: Fault, family: Family) -> tuple[int, bytes] | None:
    """Return status and body of a fault that is an error answer, ``None`` for the other kinds."""
    if fault in _SERVER_ERRORS:
        status, message, code = _SERVER_ERRORS[fault]
        kind = "server_error"
        if family == "anthropic":
            kind = "overloaded_error" if status in {503, 529} else "api_error"
        return status, _error(family, message, kind, code)
    match fault:
        case "429" | "429-bare":
            return 429, _rate_limited(family, "Rate limit reached (injected).", "requests")
        case "slow_down":
            message = "Your request rate grew too fast. Please slow down and ramp up gradually."
            kind = "rate_limit_error" if family == "anthropic" else "slow_down"
            return 429, _error(family, message, kind, "slow_down")
        case "insufficient_quota":
            return _out_of_quota(family)
        case "error-200":
            message = "The model failed to generate an answer."
            return 200, _error(family, message, "server_error", "generation_failed")
        case _:
            return None


def _out_of_quota(family: Family) -> tuple[int, bytes]:
    if family == "anthropic":
        message = "Your credit balance is too low to access the API."
        return 400, _error(family, message, "invalid_request_error", "")
    message = "You exceeded your current quota, please check your plan and billing details."
    return 429, _error(family, message, "insufficient_quota", "insufficient_quota")


def _rate_limited(family: Family, message: str, kind: str) -> bytes:
    match family:
        case "anthropic":
            return _error(family, message, "rate_limit_error", "")
        case "azure":
            return orjson.dumps({"error": {"code": "429", "message": message}})
        case "together":
            return _error(family, message, "rate_limit", "rate_limit")
        case _:
            return _error(family, message, kind, "rate_limit_exceeded")


def _error(family: Family, message: str, kind: str, code: str) -> bytes:
    error: dict[str, Any] = {"type": kind, "message": message}
    if family == "anthropic":
        return orjson.dumps({"type": "error", "error": error})
    return orjson.dumps({"error": error | {"param": None, "code": code}})
