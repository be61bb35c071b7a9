"""The commands that a cycle is made of, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from asyncgen.settings import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from asyncgen.cycle.plan import Plan

__all__ = [
    "BASE",
    "Step",
    "evaluation",
    "judged",
    "round_folder",
    "steps",
    "tuned_folder",
    "tuned_settings",
]

BASE = "base"
"""What the model is called before it was finetuned."""


class Step(Struct, frozen=True, kw_only=True):
    """One command.

    Attributes:
        name: What it is called in tables.
        arguments: After ``asyncgen``.
        files: To be written before, by path.
        made: What the command writes last, as a whole: where it is there, the step is done.
            Commands without one find out for themselves that nothing is left to do.
    """

    name: str
    arguments: tuple[str, ...]
    files: dict[str, dict[str, Any]] = {}
    made: Path | None = None


def round_folder(folder: Path, number: int) -> Path:
    """Return where a round's run, data and model are."""
    return folder / f"round-{number}"


def tuned_folder(folder: Path, number: int) -> Path:
    """Return where a round's finetuning is."""
    return round_folder(folder, number) / "tuned"


def evaluation(folder: Path, kind: str, model: str) -> Path:
    """Return where a model's answers to one kind of question are."""
    return folder / kind / model.replace(" ", "-")


def judged(plan: Plan) -> tuple[str, ...]:
    """Return the kinds of questions that models are judged by."""
    return ("superni", "tasks") if plan.superni else ("tasks",)


def steps(folder: Path, plan: Plan, tuned: Callable[[int], str]) -> Iterator[Step]:
    """Name the commands in their order.

    Args:
        folder: Of the cycle.
        plan: What is wanted.
        tuned: Returns what reaches a round's model: a GGUF file here, a name at a service. It is
            called when the commands after that finetuning are asked for.
    """
    yield from _judge(folder, plan, BASE, plan.generate)
    writer = plan.generate
    for number in range(1, plan.rounds + 1):
        yield from _round(folder, plan, number, writer)
        writer = tuned_settings(plan, tuned(number))
        yield from _judge(folder, plan, f"round {number}", writer)


def tuned_settings(plan: Plan, model: str) -> dict[str, Any]:
    """Return the settings of runs with a tuned model instead of the first."""
    if plan.is_local:
        kept = {name: value for name, value in plan.generate.items() if name != "hub"}
        return {**kept, "model_path": model}
    return {**plan.generate, "model": model}


def _round(folder: Path, plan: Plan, number: int, writer: Mapping[str, Any]) -> Iterator[Step]:
    place = round_folder(folder, number)
    run, name = place / "run", f"round {number}"
    earlier = [str(round_folder(folder, one) / "run/dataset.jsonl") for one in range(1, number)]
    excluded = [*writer.get("exclude", ()), *earlier]
    settings = {**writer, **({"exclude": excluded} if excluded else {})}
    config = place / "generate.toml"
    yield Step(
        name=f"{name}: generate",
        arguments=("generate", str(run), "--config", str(config)),
        files={str(config): settings},
    )
    report = place / "report.html"
    yield Step(
        name=f"{name}: report",
        arguments=("report", str(run), "--out", str(report)),
        made=report,
    )
    form = str(plan.finetune.get("form", "prompt-completion" if plan.is_local else "openai"))
    data = place / "data.jsonl"
    yield Step(
        name=f"{name}: export",
        arguments=("export", str(run), "--format", form, "--out", str(data)),
        made=data,
    )
    flags = {one: value for one, value in plan.finetune.items() if one != "form"}
    yield Step(
        name=f"{name}: finetune",
        arguments=(
            *("finetune", "local" if plan.is_local else "openai", str(data)),
            *("--out", str(tuned_folder(folder, number))),
            *_as_flags({**_trained(plan, writer), **flags}),
        ),
    )


def _trained(plan: Plan, writer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags that name the writing model: it is trained on what it wrote."""
    if plan.is_local:
        return {"model": writer.get("model_path") or writer.get("hub") or EMBEDDED}
    flags = {"model": writer["model"], "base_url": plan.endpoints[0]}
    return flags | ({"api_key_env": key} if (key := writer.get("api_key_env")) else {})


def _judge(folder: Path, plan: Plan, model: str, writer: Mapping[str, Any]) -> Iterator[Step]:
    config = folder / f"{model.replace(' ', '-')}.toml"
    for kind in judged(plan):
        out = evaluation(folder, kind, model)
        asked = [plan.superni] if kind == "superni" else []
        flags = dict(plan.evaluate)
        if kind == "tasks":
            flags = {one: value for one, value in flags.items() if one not in _SUPERNI_ALONE}
            flags |= {"tasks": plan.tasks} if plan.tasks else {}
        yield Step(
            name=f"{model}: {kind}",
            arguments=(
                *("evaluate", kind, *asked, "--out", str(out), "--config", str(config)),
                *_as_flags(flags),
            ),
            files={str(config): dict(writer)},
        )


_SUPERNI_ALONE = ("instances", "examples")


def _as_flags(values: Mapping[str, Any]) -> list[str]:
    """Return settings as flags: ``batch = 2`` as ``--batch 2``, ``full = true`` as ``--full``."""
    flags: list[str] = []
    for name, value in values.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            flags.append(flag)
        elif value is not False:
            parts = value if isinstance(value, list | tuple) else [value]
            flags += [word for part in parts for word in (flag, str(part))]
    return flags
