"""A cycle from its first command to its last, however often it is interrupted."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from asyncgen.cycle.outcome import CycleOutcome, conclude, tuned_model
from asyncgen.cycle.plan import Plan
from asyncgen.cycle.steps import steps
from asyncgen.finetune.folder import JobFolder
from asyncgen.journal import RunLock
from asyncgen.report.writing import write_whole
from asyncgen.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asyncgen.cycle.steps import Step

__all__ = ["CycleStopped", "check", "turn"]

_TIMES = "times.jsonl"


class CycleStopped(Exception):  # noqa: N818 - it is no error
    """Raised when a command ended early or failed.

    Attributes:
        step: Its name.
        code: What it exited with.
    """

    def __init__(self, step: str, code: int) -> None:
        super().__init__(step)
        self.step = step
        self.code = code


def check(folder: Path, plan: Plan, parse: Callable[[Sequence[str]], None]) -> None:
    """Refuse what a later command would refuse, before the first one costs hours.

    Args:
        folder: Of the cycle.
        plan: What is wanted.
        parse: Raises if the command line does not take these arguments.

    Raises:
        InputError: If settings, flags or extras will not do.
    """
    resolve(plan.generate, {}, source="generate")
    if plan.is_local:
        from asyncgen.finetune.base import check_extra

        check_extra()
    for step in steps(folder, plan, lambda _: "to-be-tuned"):
        parse(step.arguments)


def turn(
    folder: Path,
    plan: Plan,
    run: Callable[[Sequence[str]], int],
    say: Callable[[str, Sequence[str]], None],
) -> CycleOutcome:
    """Run each command in turn; those that were done before are passed over.

    Args:
        folder: Of the cycle; what was wanted at first is frozen in it.
        plan: What is wanted.
        run: Runs a command of asyncgen and returns its exit code.
        say: Told of each command, name and arguments, before it runs.

    Raises:
        CycleStopped: If a command did not exit with 0. The same call goes on there.
        InputError: If the folder is in use, of another plan, or not writable.
    """
    job = JobFolder(folder, Plan, "cycle.toml")
    job.make()
    with RunLock(folder):
        job.freeze(plan, ())
        for step in steps(folder, plan, partial(tuned_model, folder)):
            if step.made is None or not step.made.exists():
                _take(folder, step, run, say)
        return conclude(folder, plan, _seconds(folder))


def _take(
    folder: Path,
    step: Step,
    run: Callable[[Sequence[str]], int],
    say: Callable[[str, Sequence[str]], None],
) -> None:
    import tomli_w

    for path, settings in step.files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_whole(Path(path), tomli_w.dumps(settings).encode())
    say(step.name, step.arguments)
    begun = time.monotonic()
    code = run(step.arguments)
    line = {"step": step.name, "seconds": time.monotonic() - begun, "code": code}
    with (folder / _TIMES).open("ab") as times:
        times.write(orjson.dumps(line) + b"\n")
    if code:
        raise CycleStopped(step.name, code)


def _seconds(folder: Path) -> dict[str, float]:
    """Return how long each step took in all sessions that ended by themselves."""
    taken: dict[str, float] = {}
    for line in (folder / _TIMES).read_bytes().splitlines():
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue  # a kill while it was written
        taken[entry["step"]] = taken.get(entry["step"], 0.0) + entry["seconds"]
    return taken
