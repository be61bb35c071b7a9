"""An engine at work in words: for ``ctl``, ``status`` and the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.cli.summary import money

if TYPE_CHECKING:
    from asyncgen.engine import EngineSnapshot, LaneSnapshot, LimitSnapshot
    from asyncgen.pipeline.control import Report
    from asyncgen.pipeline.status import Status

__all__ = ["budget", "duration", "is_noteworthy", "lane_state", "live", "per_task"]


def live(report: Report) -> str:
    """Return how a run at work stands, as lines."""
    doing = "finishing what is in the air" if report.stopping else "at work"
    head = f"process {report.process} {doing}, for {duration(report.seconds)} so far"
    engine = report.engine
    if engine is None:
        return f"{head}; its endpoints are not open yet"
    lines = [head, _counts(engine), f"  cost {_cost(engine)}"]
    for lane in engine.lanes:
        lines += _lane(lane)
    return "\n".join(lines)


def is_noteworthy(engine: EngineSnapshot) -> bool:
    """Whether the lanes deserve a line each: there are several, or one is not open."""
    return len(engine.lanes) > 1 or any(
        lane.state != "open" and not _is_at_limit(lane) for lane in engine.lanes
    )


def lane_state(lane: LaneSnapshot) -> str:
    """Return what a lane does, until when and why."""
    if _is_at_limit(lane):
        return "at its limit"
    until = f" {duration(lane.until)}" if lane.until else ""
    why = f" ({lane.why})" if lane.why else ""
    return f"{lane.state}{until}{why}"


def budget(engine: EngineSnapshot) -> str:
    """Return US dollars spent, and of how many; empty where there is no limit."""
    if engine.max_cost is None:
        return ""
    return f"{money(engine.spent)} of {money(engine.max_cost)}"


def per_task(state: Status) -> str:
    """Return US dollars for a kept task, one with a valid instance; empty as long as unknown."""
    if not state.cost or not state.valid:
        return ""
    return f"{money(state.cost / state.valid)} a task"


def duration(seconds: float | None) -> str:
    """Return a time in at most two units; "?" where it is unknown."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def _is_at_limit(lane: LaneSnapshot) -> bool:
    """Whether a lane waits only between two requests, as one does that uses all it may."""
    return lane.state == "waiting" and lane.until is not None and lane.until < 1


def _counts(engine: EngineSnapshot) -> str:
    recalled = f" · from the cache {engine.recalled:,}" if engine.recalled else ""
    return (
        f"  in flight {engine.in_flight} · backing off {engine.backing_off} · "
        f"answered {engine.answered:,} · retried {engine.retried:,} · "
        f"rate limited {engine.rate_limited:,}{recalled}"
    )


def _cost(engine: EngineSnapshot) -> str:
    spent = budget(engine) or f"{money(engine.spent)}, no limit"
    billed = f"{engine.possibly_billed:,} lost answers possibly billed"
    lost = f" ({money(engine.lost)})" if engine.lost else ""
    return f"{spent} · in the air {money(engine.in_air)} at worst · {billed}{lost}"


def _lane(lane: LaneSnapshot) -> list[str]:
    pace = f" · found to accept {lane.pace:,.0f} requests/min" if lane.pace is not None else ""
    counts = (
        f"in flight {lane.in_flight} of {lane.window} · answered {lane.answered:,} · "
        f"retried {lane.retried:,} · rate limited {lane.rate_limited:,}{pace}"
    )
    return [
        f"  {lane.name}: {lane_state(lane)}",
        f"    {counts}",
        *(f"    {_limit(one)}" for one in lane.limits),
    ]


def _limit(limit: LimitSnapshot) -> str:
    source = " (as the endpoint says)" if limit.learned else ""
    left = f" · {limit.left:,.0f} left" if limit.left is not None else ""
    meter = limit.meter.replace("_", " ")
    return f"{limit.per_minute:,.0f} {meter}/min{source} · {limit.used:.0%} used{left}"
