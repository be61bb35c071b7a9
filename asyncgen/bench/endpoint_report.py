"""A measurement of an endpoint as a JSON object and as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asyncgen.bench.endpoint import EndpointReport
    from asyncgen.bench.levels import Level
    from asyncgen.bench.load import FirstRefusal
    from asyncgen.records import Meter, RateHint

__all__ = ["HEAD", "as_fields", "as_row", "as_text", "limits", "recommended"]

HEAD = (
    f"{'in flight':>9} {'requests':>9} {'requests/s':>11} {'output tokens/s':>16} "
    f"{'input tokens/s':>15} {'p50 s':>7} {'p99 s':>7} {'ms/token':>9} {'429s':>5}  errors"
)
"""What stands above the rows."""

_FULL = 0.9
"""Share of a core from which on this process may be what is slow."""

_MINUTE, _DAY = 60.0, 86_400.0
_BY_MINUTE: dict[Meter, str] = {
    "requests": "rpm",
    "tokens": "tpm",
    "input_tokens": "input_tpm",
    "output_tokens": "output_tpm",
}
_WHY = {
    "levels": "all levels were measured",
    "rate_limited": "the endpoint refused for the rate",
    "saturated": "throughput grew by less than 5 % over two doublings",
    "failing": "at most half of a level's requests were answered",
    "max_requests": "--max-requests is reached",
    "max_cost": "--max-cost leaves no room for another request",
    "refused": "the endpoint refuses",
    "interrupted": "interrupted",
}


def as_row(level: Level) -> str:
    """Return one level as a line below :data:`HEAD`."""
    each = level.seconds_per_output_token
    errors = ", ".join(f"{kind} {count:,}" for kind, count in level.errors.items())
    return (
        f"{level.in_flight:>9,} {level.requests:>9,} {level.requests_per_s:>11,.1f} "
        f"{level.output_tokens_per_s:>16,.0f} {level.input_tokens_per_s:>15,.0f} "
        f"{_seconds(level.p50):>7} {_seconds(level.p99):>7} "
        f"{'-' if each is None else f'{1000 * each:.1f}':>9} {level.rate_limited:>5,}  {errors}"
    ).rstrip()


def as_text(report: EndpointReport) -> str:
    """Return what follows from the levels, below their rows."""
    lines = [f"stopped      {_WHY[report.stopped]}"]
    if report.first_refusal is not None:
        lines.append(f"first 429    {_refusal(report.first_refusal)}")
    told = [f"{name} {_told(limit)}" for name, limit in limits(report.hints).items()]
    if told:
        lines.append(f"limits told  {', '.join(told)}")
    lines.append(f"knee         {_knee(report)}")
    full = [level.in_flight for level in report.levels if level.cpu >= _FULL]
    if full:
        lines.append(
            f"             from {full[0]:,} in flight on asking filled a core here: the endpoint "
            "may do more"
        )
    flags = [
        f"--{name.replace('_', '-')} {value:.10g}" for name, value in recommended(report).items()
    ]
    if flags:
        lines.append(f"recommended  {' '.join(flags)}")
    cost = "unknown" if report.cost is None else f"${report.cost:.4f}"
    lines.append(f"requests     {report.requests:,} in all; cost {cost}")
    return "\n".join(f"  {line}" for line in lines)


def as_fields(report: EndpointReport) -> dict[str, Any]:
    """Return it for programs; times in seconds, money in US dollars."""
    refusal = report.first_refusal
    return {
        "endpoint": report.endpoint,
        "levels": [_level(level) for level in report.levels],
        "knee": report.knee,
        "first_429": refusal
        and {
            "in_flight": refusal.in_flight,
            "requests": refusal.requests,
            "after_s": refusal.after,
            "requests_in_a_minute": refusal.in_a_minute,
            "requests_per_s": refusal.requests_per_s,
            "retry_after_s": refusal.retry_after,
            "message": refusal.said,
        },
        "limits": limits(report.hints) or None,
        "recommended": recommended(report),
        "requests": report.requests,
        "cost": report.cost,
        "stopped": report.stopped,
    }


def limits(hints: Iterable[RateHint]) -> dict[str, dict[str, Any]]:
    """Return the limits that the endpoint told, by the name of the setting that keeps them.

    Where one is told for a second and for a minute, the lower counts.
    """
    found: dict[str, dict[str, Any]] = {}
    for hint in hints:
        name = _BY_MINUTE[hint.meter]
        if hint.limit is None or (hint.window >= _DAY and name != "rpm"):
            continue
        limit = hint.limit
        if hint.window >= _DAY:
            name = "rpd"
        else:
            limit *= _MINUTE / hint.window
        if name not in found or limit < found[name]["limit"]:
            found[name] = {"limit": limit, "certain": hint.certain}
    return found


def recommended(report: EndpointReport) -> dict[str, float]:
    """Return what to tell ``generate``: requests in flight, and the limits that are certain.

    In flight: the knee. But where throughput still grew when a limit ended it, and the limit is
    known, the level that met it: those below may not use all of it.
    """
    known = limits(report.hints).items()
    flags = {name: limit["limit"] for name, limit in known if limit["certain"]}
    in_flight = report.knee
    if flags and report.first_refusal is not None and in_flight == _highest_unrefused(report):
        in_flight = report.first_refusal.in_flight
    return flags if in_flight is None else {"max_in_flight": in_flight, **flags}


def _highest_unrefused(report: EndpointReport) -> int | None:
    levels = (level.in_flight for level in report.levels if not level.rate_limited)
    return max(levels, default=None)


def _level(level: Level) -> dict[str, Any]:
    return {
        "in_flight": level.in_flight,
        "requests": level.requests,
        "answered": level.answered,
        "seconds": level.seconds,
        "requests_per_s": level.requests_per_s,
        "output_tokens_per_s": level.output_tokens_per_s,
        "input_tokens_per_s": level.input_tokens_per_s,
        "p50_s": level.p50,
        "p99_s": level.p99,
        "s_per_output_token": level.seconds_per_output_token,
        "errors": level.errors,
        "rate_limited": level.rate_limited,
        "client_cpu": level.cpu,
    }


def _refusal(refusal: FirstRefusal) -> str:
    wait = refusal.retry_after
    asked = "" if wait is None else f"; it asked to wait {wait:g} s"
    return (
        f"at {refusal.in_flight:,} in flight and {refusal.requests_per_s:,.1f} requests/s, "
        f"{refusal.in_a_minute:,} of {refusal.requests:,} requests within a minute{asked}"
    )


def _told(limit: dict[str, Any]) -> str:
    return f"{limit['limit']:,.10g}" + (
        "" if limit["certain"] else " (of what time is not certain)"
    )


def _knee(report: EndpointReport) -> str:
    if report.knee is None:
        return "not found: no level was answered without refusals"
    level = next(level for level in report.levels if level.in_flight == report.knee)
    rest = "the smallest level within 10 % of the best throughput"
    if report.knee == _highest_unrefused(report):
        rest = "the highest measured without refusals; the knee may lie beyond"
    return f"{report.knee:,} in flight, {level.requests_per_s:,.1f} requests/s: {rest}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}" if value < 10 else f"{value:.1f}"
