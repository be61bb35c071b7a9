"""What the page says of runs in words and numbers, besides its figures."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from asyncgen.report.measures.distribution import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.report.measures.measures import Measures
    from asyncgen.report.measures.spending import Spending

__all__ = ["Fact", "differing", "facts", "lead", "money", "settings_of", "span", "stages"]


class Fact(Struct, frozen=True):
    """A number that matters, and what it is measured by."""

    name: str
    value: str
    remark: str = ""


def lead(run: Measures) -> str:
    """Return in one sentence what was made, from what, by whom and at what price."""
    instances = sum(len(row.draft.instances or ()) for row in run.tasks)
    models = " and ".join(f"“{name}”" for name in run.models[:3]) + (
        " and others" if len(run.models) > 3 else ""
    )
    by = f", written by {models}" if models else ""
    made = f"{len(run.tasks):,} tasks with {instances:,} instances"
    sentence = f"{made}, grown from {run.seeds:,} seed tasks{by}"
    if run.flow is not None:
        day = datetime.fromtimestamp(run.flow.began, UTC)
        sentence += f" on {day.day} {day:%B %Y}, in {span(run.flow.worked)} at work"
    if run.status.cost is not None:
        sentence += f", for {money(run.status.cost)}"
    if run.status.recalled.answers:
        sentence += (
            f". {run.status.recalled.answers:,} answers came from a shared cache, for nothing"
        )
    if not run.status.complete:
        sentence += f". Unfinished: {run.status.target:,} tasks are wanted"
        if run.status.saturation is not None:
            sentence += f"; {run.status.saturation}"
    return sentence + "."


def facts(run: Measures) -> tuple[Fact, ...]:
    """Return the numbers of the first screen."""
    state, near = run.status, summary(run.to_kept)
    instances = sum(len(row.draft.instances or ()) for row in run.tasks)
    usage = state.usage
    stage = "saturated" if state.saturation else "unfinished"
    whole = "complete" if state.complete else stage
    share = _share(usage.cached_tokens, usage.input_tokens)
    cached = f"; {share} of the input cached" if usage.cached_tokens else ""
    asked = sum(state.answers.values()) - state.recalled.answers
    rate = 60 * asked / run.flow.worked if run.flow else 0.0
    return (
        Fact("tasks", f"{state.tasks:,}", f"of {state.target:,} wanted, {whole}"),
        Fact(
            "candidates kept",
            _share(state.kept, state.candidates),
            f"{state.kept:,} of {state.candidates:,}",
        ),
        Fact("similarity", f"{near.mean:.2f}", "mean ROUGE-L to the nearest kept before"),
        Fact(
            "instances a task",
            f"{instances / len(run.tasks):.1f}" if run.tasks else "-",
            f"{instances:,} in all, {_share(run.lengths.empty_inputs, instances)} without input",
        ),
        Fact(
            "classification",
            _share(run.labels.tasks, run.labels.of),
            f"{len(run.labels.counts):,} different labels",
        ),
        Fact(
            "tokens a task",
            _per(usage.input_tokens + usage.output_tokens, state.tasks),
            f"{_per(usage.output_tokens, state.tasks)} of them output{cached}",
        ),
        Fact("cost", money(state.cost), _cost_remark(run)),
        Fact(
            "time at work",
            span(run.flow.worked) if run.flow else "unknown",
            f"{rate:,.0f} answers a minute" if rate else "",
        ),
    )


def _cost_remark(run: Measures) -> str:
    state = run.status
    if state.cost is None:
        return "no price is known"
    lost = f"; at most {money(state.lost_cost)} of it lost" if state.lost_cost else ""
    each = f"{money(state.cost / state.tasks)} a task" if state.tasks else "no task yet"
    return each + lost


def stages(run: Measures) -> list[tuple[str, ...]]:
    """Return what each stage took, and all of them: a row of texts for each."""
    rows = [_stage(one, run) for one in run.spending]
    usage, state = run.status.usage, run.status
    rows.append(
        (
            "in all",
            f"{sum(state.answers.values()):,}",
            f"{usage.input_tokens:,}",
            _share(usage.cached_tokens, usage.input_tokens),
            f"{usage.output_tokens:,}",
            _per(usage.input_tokens + usage.output_tokens, state.tasks),
            money(state.cost),
            "",
            "",
            f"{sum(map(_failed, run.spending)):,}",
        )
    )
    return rows


def _stage(one: Spending, run: Measures) -> tuple[str, ...]:
    return (
        one.stage,
        f"{one.answers:,}",
        f"{one.usage.input_tokens:,}",
        _share(one.usage.cached_tokens, one.usage.input_tokens),
        f"{one.usage.output_tokens:,}",
        _per(one.usage.input_tokens + one.usage.output_tokens, run.status.tasks),
        money(one.cost),
        _seconds(one.p50),
        _seconds(one.p99),
        f"{_failed(one):,}",
    )


def _failed(one: Spending) -> int:
    return one.attempts - (one.answers - one.recalled)


def settings_of(run: Measures) -> dict[str, str]:
    """Return a run's settings as text, without what an address may hold of a key."""
    plain: dict[str, Any] = msgspec.to_builtins(run.settings)
    flat: dict[str, str] = {}
    for name, value in plain.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": _plain(one) for inner, one in value.items()}
        else:
            flat[name] = _plain(value)
    return flat


def differing(runs: Sequence[Measures]) -> list[tuple[str, ...]]:
    """Return the settings in which runs differ: the name, then each run's."""
    told = [settings_of(run) for run in runs]
    names = list(dict.fromkeys(name for one in told for name in one))
    rows = [(name, *(one.get(name, "-") for one in told)) for name in names]
    return [row for row in rows if len(set(row[1:])) > 1]


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.10g}"
    text = msgspec.json.encode(value).decode() if isinstance(value, list | dict) else str(value)
    return re.sub(r"//[^/@\s\"]*@", "//", "-" if value is None or text == "" else text)


def money(cost: float | None) -> str:
    """Return US dollars in as many digits as say something."""
    if cost is None:
        return "unknown"
    if cost == 0:
        return "$0"
    if cost >= 1:
        return f"${cost:,.2f}"
    return f"${cost:.4f}" if cost >= 0.01 else f"${cost:.2g}" if cost >= 1e-4 else f"${cost:.1e}"


def span(seconds: float) -> str:
    """Return a time in two units at the most."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole else "-"


def _per(amount: float, tasks: int) -> str:
    return f"{amount / tasks:,.0f}" if tasks else "-"
