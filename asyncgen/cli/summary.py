"""A run in words: the funnel of rejections, and where the files are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import orjson

if TYPE_CHECKING:
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.pipeline.saturation import Saturation
    from asyncgen.pipeline.status import Status
    from asyncgen.records import Stage

__all__ = ["amount", "as_json_line", "files", "funnel", "money"]


_BAR = 30
"""Characters of a bar that says all."""


def funnel(state: Status) -> str:
    """Return the way from candidates to tasks, with every reason for dropping one.

    Of a run that is saturated also how it came to that.
    """
    undecided = f"  ({state.undecided} undecided, counted as no)" if state.undecided else ""
    lines = [
        _row("candidates written by the model", state.candidates),
        *_reasons(state, "generation"),
        _row("instructions kept", state.kept, _share(state.kept, state.candidates)),
        _row("  classification", state.classification, undecided),
        *_reasons(state, "instances"),
        _row("with a valid instance", state.valid, _share(state.valid, state.settled)),
        _row("in the dataset", state.tasks, f"  of {state.target:,}"),
        _answers(state),
        *_recalled(state),
        _tokens(state),
        *_curve(state.saturation),
    ]
    return "\n".join(lines)


def files(folder: RunFolder) -> str:
    """Return where a run's files are."""
    return (
        f"  dataset   {folder.dataset}\n"
        f"  rejected  {folder.rejected} (with reasons and nearest neighbours)\n"
        f"  journal   {folder.journal} (every answer; resuming replays it)"
    )


def as_json_line(value: dict[str, Any]) -> str:
    """Return a value as one line of JSON."""
    return orjson.dumps(msgspec.to_builtins(value)).decode()


def money(cost: float | None) -> str:
    """Return US dollars; "unknown" where no price is known."""
    return "unknown" if cost is None else f"${cost:.4f}" if cost < 1 else f"${cost:,.2f}"


def amount(count: float) -> str:
    """Return a count in at most four digits and a unit."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if count >= limit:
            return f"{count / (1000 if unit == 'k' else limit):.1f}{unit}"
    return f"{count:.0f}"


def _row(name: str, count: int, remark: str = "") -> str:
    return f"  {name:<33}{count:>8,}{remark}"


def _reasons(state: Status, stage: Stage) -> list[str]:
    counts = state.rejections.get(stage, {})
    return [_row(f"  - {reason}", count) for reason, count in counts.items()]


def _answers(state: Status) -> str:
    stages = ", ".join(f"{stage} {count:,}" for stage, count in state.answers.items())
    return f"  answers {sum(state.answers.values()):,} ({stages})"


def _recalled(state: Status) -> list[str]:
    known = state.recalled
    if not known.answers:
        return []
    usage = known.usage
    taken = f"tokens in {usage.input_tokens:,}, out {usage.output_tokens:,}"
    worth = f", cost {money(known.cost)}"
    return [f"  taken over {known.answers:,} of them, paid for before: {taken}{worth}"]


def _tokens(state: Status) -> str:
    usage = state.usage
    cached = f" (cached {usage.cached_tokens:,})" if usage.cached_tokens else ""
    lost = f", lost at most {money(state.lost_cost)}" if state.lost_cost else ""
    return (
        f"  tokens in {usage.input_tokens:,}{cached}, out {usage.output_tokens:,}; "
        f"{state.kept_per_1000_output_tokens:.1f} tasks per 1,000 generated tokens; "
        f"cost {money(state.cost)}{lost}"
    )


def _curve(saturation: Saturation | None) -> list[str]:
    if saturation is None:
        return []
    steps, made = ("answers", "new") if saturation.of == "instructions" else ("tasks", "valid")
    rows = [f"  {saturation}"]
    for one in saturation.curve:
        places, counts = f"{one.first:,}-{one.last:,}", f"{one.accepted:,} of {one.offered:,}"
        bar = "█" * round(_BAR * one.share)
        rows.append(
            f"    {steps} {places:<13} {made} {counts:>15}  {one.share:>6.1%}  {bar}".rstrip()
        )
    return rows


def _share(part: int, whole: int) -> str:
    return f"  {part / whole:.0%}" if whole else ""
