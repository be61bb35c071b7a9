"""A run that is killed again and again, at random moments, and resumed."""

from __future__ import annotations

import random
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ordeal.moment import Kind, Moment, log_uniform, moments
from ordeal.provider import Manner, providing, restless
from ordeal.session import Task
from ordeal.trial import Trial, undisturbed
from ordeal.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ordeal.trial import Expected

__all__ = ["Killing", "kill_again_and_again", "kill_with_its_own_provider"]

_FASTEST = 200.0  # answers a second that are thought possible when a moment is drawn
_PATIENT = ("--first-byte-timeout", "6", "--stall-timeout", "3", "--max-attempts", "20")


@dataclass(frozen=True)
class Killing:
    """How to do it.

    Attributes:
        kills: How many.
        target: Tasks of the run.
        seed: Of what is drawn here.
        endpoints: Providers; each session is given some of them, and all but the first of
            them die now and then.
        compiling: Share of kills with an empty cache of kernels.
    """

    kills: int
    target: int
    seed: int
    manner: Manner = Manner()
    endpoints: int = 1
    compiling: float = 0.04

    @property
    def name(self) -> str:
        """What tells it from others."""
        faults = "faults, " if self.manner.faults else ""
        return (
            f"{self.kills} kills, {self.target:,} tasks, {faults}"
            f"{self.endpoints} endpoint(s), seed {self.seed}"
        )


def kill_again_and_again(plan: Killing, folder: Path, expected: Expected) -> Verdict:
    """Kill a run as often as planned, let it finish, and judge.

    Args:
        plan: How.
        folder: For all files.
        expected: What an undisturbed run of that target makes.
    """
    rng = random.Random(plan.seed)
    flags = _PATIENT if plan.manner.faults else ()
    verdict = Verdict(plan.name)
    trial = Trial(Task(folder / "run", plan.target, flags), expected, verdict)
    with ExitStack() as stack:
        providers = stack.enter_context(providing(folder / "wild", plan.endpoints, plan.manner))
        urls = [one.url for one in providers]
        stack.enter_context(restless(providers, random.Random(plan.seed + 1)))
        _disturb(trial, plan, urls, rng)
        trial.finish(urls)
    trial.compare()
    trial.tell(trial.settle(providers))
    verdict.figures["seconds, undisturbed"] = expected.seconds
    if plan.endpoints > 1:
        verdict.figures["providers killed and started anew"] = sum(one.kills for one in providers)
    return verdict


def kill_with_its_own_provider(plan: Killing, folder: Path) -> Verdict:
    """Do the same with ``--endpoint simulated``: the provider is the run's child, and dies too.

    It keeps no log, and the dataset names another endpoint: hence an undisturbed run of its own.
    """
    expected = undisturbed(Task(folder / "undisturbed", plan.target), ["simulated"])
    verdict = Verdict(f"its own provider: {plan.name}")
    trial = Trial(Task(folder / "run", plan.target), expected, verdict)
    _disturb(trial, plan, ["simulated"], random.Random(plan.seed))
    trial.finish(["simulated"])
    trial.compare()
    trial.tell()
    return verdict


def _disturb(trial: Trial, plan: Killing, urls: Sequence[str], rng: random.Random) -> None:
    kinds = moments(rng, plan.kills, compiling=plan.compiling)
    done = False
    killed: dict[Kind, int] = {}
    while kinds:
        kind = _possible(kinds[0], done=done)
        in_flight = round(log_uniform(rng, 1, 256))
        left = sum(one == "working" for one in kinds) or 1
        moment = _moment(kind, trial, (trial.expected.answers / left, in_flight), plan, rng)
        used = rng.sample(urls, rng.randint(1, len(urls)))
        if urls[0] not in used:
            used.append(urls[0])
        with TemporaryDirectory(prefix="torture-kernels-") as empty:
            environment = {"NUMBA_CACHE_DIR": empty} if kind == "compiling" else {}
            session = trial.start(used, in_flight, environment=environment)
            if moment.await_in(session):
                trial.take_down(session)
                killed[kind] = killed.get(kind, 0) + 1
                kinds.pop(0)
                continue
        done = trial.ended(session, session.wait()) or done
    for one, times in sorted(killed.items()):
        trial.verdict.figures[f"kills while {one}"] = times


def _possible(kind: Kind, *, done: bool) -> Kind:
    """Return what can still be done to a run: one that is done does nothing but write."""
    return "writing" if done and kind == "working" else kind


def _moment(
    kind: Kind, trial: Trial, load: tuple[float, int], plan: Killing, rng: random.Random
) -> Moment:
    """Draw a moment; those of work so that the kills are spread over all of it.

    Args:
        kind: What the session is to be doing.
        trial: The run.
        load: Answers of the whole run for each kill that is left, and the ceiling in flight.
        plan: How it is done.
        rng: Draws.
    """
    if kind == "starting":
        return Moment(kind, rng.uniform(0.0, 1.2))
    if kind == "compiling":
        return Moment(kind, rng.uniform(0.5, 15.0))
    if kind == "writing":
        return Moment(kind, rng.uniform(0.0, 0.01), rng.randrange(2))
    share, in_flight = load
    done = len(trial.journaled.answers) / trial.expected.answers
    rate = min(in_flight / plan.manner.latency, _FASTEST)
    span = min(max(share * (1 - done) / rate, 0.2), 30.0)
    return Moment(kind, span * log_uniform(rng, 0.02, 4.0))
