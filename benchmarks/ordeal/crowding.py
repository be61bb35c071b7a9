"""Two processes on one run folder, and locks whose owners are gone."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from ordeal.moment import log_uniform
from ordeal.provider import providing
from ordeal.session import Ended, Task
from ordeal.trial import Trial
from ordeal.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ordeal.killing import Killing
    from ordeal.session import Session
    from ordeal.trial import Expected

__all__ = ["crowd"]

_AT_ONCE = 3
_REFUSED = "second processes refused"


def crowd(plan: Killing, folder: Path, expected: Expected) -> Verdict:
    """Start so many second processes beside a first, at random moments, and judge.

    Half-way the first is killed, and its lock is given to a process that lives: as after a
    reboot, when its number belongs to another.
    """
    rng = random.Random(plan.seed)
    verdict = Verdict(f"{plan.kills} second processes, {plan.target:,} tasks, seed {plan.seed}")
    verdict.figures[_REFUSED] = 0
    trial = Trial(Task(folder / "run", plan.target), expected, verdict)
    with providing(folder / "wild", 1, plan.manner) as providers:
        urls = [providers[0].url]
        owner = _owner(trial, urls)
        _intrude(trial, owner, urls, plan.kills - plan.kills // 2, rng)
        trial.take_down(owner)
        lock = trial.task.run / "run.lock"
        verdict.hold("a killed owner leaves its number", lock.read_text() == f"{owner.pid}\n")
        lock.write_text(f"{os.getpid()}\n")
        owner = _owner(trial, urls)
        _intrude(trial, owner, urls, plan.kills // 2, rng)
        how = owner.wait()
        verdict.hold("the owner finishes unharmed", trial.ended(owner, how), how)
    trial.compare()
    trial.tell(trial.settle(providers))
    return verdict


def _owner(trial: Trial, urls: Sequence[str]) -> Session:
    """Start the process that holds the folder, and has long to do."""
    owner = trial.start(urls, 2)
    trial.verdict.hold("a free folder is taken", owner.wait_until_at_work())
    return owner


def _intrude(
    trial: Trial, owner: Session, urls: Sequence[str], count: int, rng: random.Random
) -> None:
    """Start so many second processes, some at the same time, while the owner is at work."""
    for first in range(0, count, _AT_ONCE):
        others: list[Session] = []
        for _ in range(first, min(first + _AT_ONCE, count)):
            owner.lasts(log_uniform(rng, 0.001, 0.1))
            others.append(trial.start(urls, 8))
        ends = [other.wait() for other in others]
        if owner.process.poll() is not None:
            return  # the last may have come as it left
        line = (
            f"asyncgen: error: {trial.task.run}: in use by process {owner.pid}; "
            "wait for it, or end it and run again\n"
        )
        refused = sum(how == Ended(2, line) for how in ends)
        promise = "a second process is refused in one line, with exit code 2"
        trial.verdict.hold(promise, refused == len(ends), ends)
        trial.verdict.figures[_REFUSED] += refused
