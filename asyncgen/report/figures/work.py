"""Figures of the work: what was in the air, came back and was tried again, and what it took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncgen.records import Usage
from asyncgen.report.figures.axes import Axis
from asyncgen.report.figures.charts import Bar, Line, Rule, bars, lines
from asyncgen.report.figures.figure import Figure, Table
from asyncgen.report.figures.svg import SERIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncgen.report.measures.flow import Flow, Limits
    from asyncgen.report.measures.measures import Measures

__all__ = ["flow_figures", "token_figure"]

_TOKENS = "Input and output together, counted when the answer came; a line where they are limited."

_THROUGHPUT = "Answers as they came; a line where requests per minute are limited."

_FAILED = "Attempts before an answer, counted when the one that brought it began."

_WHY = {
    "rate": "refused for the rate (429)",
    "overload": "overloaded, or another 5xx",
    "lost": "lost: timed out, broken, cut or empty",
    "other": "no credit, or refused for good",
}
"""What an attempt failed of."""

_UNITS = ((2 * 86400, 86400, "days"), (2 * 3600, 3600, "hours"), (180, 60, "minutes"))


def flow_figures(runs: Sequence[Measures]) -> list[Figure]:
    """Return the flow over time at work, of the runs whose answers have times."""
    timed = [(number, run.name, run.flow) for number, run in enumerate(runs) if run.flow]
    if not timed:
        return []
    figures = [
        _over_time(
            timed,
            "in-flight",
            "Requests in flight",
            "requests",
            "Averages of attempts that brought an answer; the line is the ceiling.",
            lambda one: one.in_flight,
            lambda one: one.in_flight,
        ),
        _over_time(
            timed,
            "throughput",
            "Throughput",
            "answers per minute",
            _THROUGHPUT,
            lambda one: one.answers,
            lambda one: one.requests_per_minute,
        ),
        _over_time(
            timed,
            "tokens-over-time",
            "Tokens over time",
            "tokens per minute",
            _TOKENS,
            lambda one: one.tokens,
            lambda one: one.tokens_per_minute,
        ),
    ]
    if any(flow.failed.total for _, _, flow in timed):
        figures.append(_failures(timed))
    return figures


def _failures(timed: Sequence[tuple[int, str, Flow]]) -> Figure:
    """Return the attempts that failed, a line for each reason that there was."""
    several = len(timed) > 1
    scale, unit, axis = _time_axis(timed)
    reasons = [one for one in _WHY if any(sum(getattr(flow.failed, one)) for _, _, flow in timed)]
    sums = {one: sum(sum(getattr(flow.failed, one)) for _, _, flow in timed) for one in reasons}
    series = [
        Line(
            name=f"{run}: {_WHY[reason]}" if several else _WHY[reason],
            points=tuple(
                zip([at / scale for at in flow.seconds], getattr(flow.failed, reason), strict=True)
            ),
            tone=(place + number * len(reasons)) % SERIES,
            dashed=several and number > 0,
        )
        for number, (_, run, flow) in enumerate(timed)
        for place, reason in enumerate(reasons)
    ]
    told = ", ".join(f"{sums[one]:,.0f} {_WHY[one]}" for one in reasons)
    high = max(value for line in series for _, value in line.points if value is not None)
    return Figure(
        name="retries",
        title="Attempts that failed",
        note=" ".join([f"{_FAILED} In all {told}.", *_paused(timed)]),
        picture=lines(
            f"Attempts that failed, by why, over {unit} at work",
            series,
            x=axis,
            y=Axis(label="attempts", high=max(high, 1), whole=True),
            rules=_pause_rules(timed, scale),
        ),
        table=Table(
            ("run", "seconds at work", *_WHY.values()),
            tuple(
                (run, round(at, 3), *values)
                for _, run, flow in timed
                for at, *values in zip(
                    flow.seconds, *(getattr(flow.failed, one) for one in _WHY), strict=True
                )
            ),
        ),
    )


def _time_axis(timed: Sequence[tuple[int, str, Flow]]) -> tuple[float, str, Axis]:
    """Return what seconds are divided by, what they are then, and the axis of them."""
    longest = max(flow.worked for _, _, flow in timed)
    scale, unit = _unit(longest)
    return scale, unit, Axis(label=f"{unit} at work", high=longest / scale, fixed=True)


def _over_time(  # noqa: PLR0913, PLR0917 - a figure in words, and what it takes of a flow
    timed: Sequence[tuple[int, str, Flow]],
    name: str,
    title: str,
    label: str,
    note: str,
    values: Callable[[Flow], Sequence[float]],
    limit: Callable[[Limits], float | None],
) -> Figure:
    several = len(timed) > 1
    scale, _, axis = _time_axis(timed)
    series = [
        Line(
            name=run if several else title,
            points=tuple(zip([at / scale for at in flow.seconds], values(flow), strict=True)),
            tone=number % SERIES,
        )
        for number, run, flow in timed
    ]
    limits = {number: bound for number, _, flow in timed if (bound := limit(flow.limits))}
    high = max((value for _, _, flow in timed for value in values(flow)), default=0)
    near = [bound for bound in limits.values() if bound <= 2.5 * max(high, 1)]
    far = [bound for bound in limits.values() if bound not in near]
    rules = [
        Rule(words="limit", y=bound, tone=number % SERIES if several else None)
        for number, bound in limits.items()
        if bound in near
    ]
    return Figure(
        name=name,
        title=title,
        note=" ".join([note, *(_beyond(far)), *_unfailed(name, timed), *_paused(timed)]),
        picture=lines(
            f"{title}: {label} over {axis.label}",
            series,
            x=axis,
            y=Axis(label=label, high=max(high, 1, *near), whole=True),
            rules=rules + _pause_rules(timed, scale),
        ),
        table=Table(
            ("run", "seconds at work", label),
            tuple(
                (run, round(at, 3), value)
                for _, run, flow in timed
                for at, value in zip(flow.seconds, values(flow), strict=True)
            ),
        ),
    )


def _unit(seconds: float) -> tuple[float, str]:
    return next(
        ((scale, unit) for least, scale, unit in _UNITS if seconds >= least), (1, "seconds")
    )


def _beyond(limits: Sequence[float]) -> list[str]:
    """Tell limits so far off that drawing them would flatten everything else."""
    return [f"The limit of {limit:,.0f} lies far above." for limit in sorted(set(limits))]


def _unfailed(name: str, timed: Sequence[tuple[int, str, Flow]]) -> list[str]:
    if name == "throughput" and not any(flow.failed.total for _, _, flow in timed):
        return ["No attempt failed: none was refused for its rate (429) or lost."]
    return []


def _paused(timed: Sequence[tuple[int, str, Flow]]) -> list[str]:
    pauses = [pause for _, _, flow in timed for pause in flow.pauses]
    if not pauses:
        return []
    longest = max(pause.seconds for pause in pauses)
    some = f"{len(pauses)} pause{'s' * (len(pauses) > 1)} with nothing in the air"
    return [f"{some}, the longest of {_duration(longest)}, cut out and marked."]


def _pause_rules(timed: Sequence[tuple[int, str, Flow]], scale: float) -> list[Rule]:
    several = len(timed) > 1
    return [
        Rule(
            words="" if len(flow.pauses) > 3 else f"paused {_duration(pause.seconds)}",
            x=pause.at / scale,
            tone=number % SERIES if several else None,
        )
        for number, _, flow in timed
        for pause in flow.pauses
    ]


def _duration(seconds: float) -> str:
    for least, scale, unit in ((172800, 86400, "days"), (7200, 3600, "h"), (90, 60, "min")):
        if seconds >= least:
            return f"{seconds / scale:.0f} {unit}"
    return f"{seconds:.0f} s"


def token_figure(runs: Sequence[Measures]) -> Figure:
    """Return the tokens of each stage."""
    several = len(runs) > 1
    rows: list[Bar] = []
    for stage in dict.fromkeys(one.stage for run in runs for one in run.spending):
        for kind in ("input", "cached", "output"):
            for number, run in enumerate(runs):
                usage = next((one.usage for one in run.spending if one.stage == stage), Usage())
                count = {
                    "input": usage.input_tokens - usage.cached_tokens,
                    "cached": usage.cached_tokens,
                    "output": usage.output_tokens,
                }[kind]
                name = f"{stage}, {kind}"
                rows.append(
                    Bar(
                        "" if number else name,
                        count,
                        f"{count:,}",
                        number % SERIES if several else {"output": 1}.get(kind, 0),
                        faint=kind == "cached",
                    )
                )
    return Figure(
        name="tokens",
        title="Tokens by stage",
        note="Cached input was read from the provider's prefix cache and is charged less.",
        picture=bars(
            "Tokens by stage and kind", rows, keys=[r.name for r in runs] if several else ()
        ),
        table=Table(
            (
                "run",
                "stage",
                "answers",
                "input tokens",
                "of them cached",
                "output tokens",
                "dollars",
            ),
            tuple(
                (
                    run.name,
                    one.stage,
                    one.answers,
                    one.usage.input_tokens,
                    one.usage.cached_tokens,
                    one.usage.output_tokens,
                    one.cost,
                )
                for run in runs
                for one in run.spending
            ),
        ),
    )
