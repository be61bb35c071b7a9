"""A run whose disk is full again and again, while it works and while it writes its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordeal.provider import providing
from ordeal.room import Tmpfs
from ordeal.session import Task
from ordeal.trial import Trial
from ordeal.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from ordeal.killing import Killing
    from ordeal.provider import Provider
    from ordeal.room import Room
    from ordeal.trial import Expected

__all__ = ["starve"]

_MOST = 60  # sessions
_WRONG = 2  # exit code
_IN_FLIGHT = 8  # a run keeps room for as many answers


def starve(plan: Killing, folder: Path, expected: Expected, room: Room, run: Path) -> Verdict:
    """Give a run a little more room each time it has no more, let it finish, and judge.

    Args:
        plan: Target and provider.
        folder: For the provider's log, which is not confined.
        expected: What an undisturbed run of that target makes.
        room: What the run is confined to.
        run: Its folder, in that room.
    """
    verdict = Verdict(f"no room left ({type(room).__name__.lower()}), {plan.target:,} tasks")
    trial = Trial(Task(run, plan.target), expected, verdict)
    with providing(folder / "wild", 1, plan.manner) as providers:
        _grow(trial, room, providers[0])
        _choke(trial, room, providers[0])
    trial.compare()
    account = trial.settle(providers)
    if isinstance(room, Tmpfs):
        # A limit on files leaves room beside them, which is no use to the journal.
        verdict.hold("a full disk loses no answer", not account.paid_twice, account.paid_twice)
    trial.tell(account)
    verdict.figures["bytes of room at the end"] = room.size
    return verdict


def _grow(trial: Trial, room: Room, provider: Provider) -> None:
    """Work, and make room whenever there is none, until the run is done."""
    refused = 0
    for _ in range(_MOST):
        if _is_done(trial, room, provider):
            break
        refused += 1
        room.grow()
    else:
        trial.verdict.hold("the run comes to its end", held=False)
    trial.verdict.figures["sessions that ran out of room"] = refused
    trial.verdict.hold("the room was too small at first", refused > 0)


def _choke(trial: Trial, room: Room, provider: Provider) -> None:
    """Have no room for the outputs alone: all answers are there."""
    dataset, rejected = trial.task.outputs
    before = dataset.read_bytes()
    room.choke(len(before) // 2)
    refused = not _is_done(trial, room, provider)
    trial.verdict.hold("a dataset that has no room is an error", refused)
    kept = dataset.read_bytes() == before
    trial.verdict.hold("and leaves the old one as it was", kept)
    dataset.unlink()
    rejected.unlink()
    room.relieve()
    room.choke(len(before) // 2)
    refused = not _is_done(trial, room, provider)
    trial.verdict.hold("likewise where there is no old one", refused)
    partial = [path.name for path in trial.task.run.glob(".*")]
    trial.verdict.hold("and nothing half written is left", not partial, partial)
    room.relieve()
    trial.verdict.hold("with room again it is written", _is_done(trial, room, provider))


def _is_done(trial: Trial, room: Room, provider: Provider) -> bool:
    """Hold a session in the room; return whether the run is done, else it said one clear line."""
    session = trial.start([provider.url], _IN_FLIGHT, before=room.confine)
    how = session.wait()
    trial.look(session, disturbed=how.code != 0)
    if how.code == 0:
        return True
    lines = how.said.splitlines()
    told = (
        how.code == _WRONG
        and len(lines) == 1
        and lines[0].startswith(f"asyncgen: error: {trial.task.run}")
    )
    trial.verdict.hold("a full disk is one clear line and exit code 2", told, (how.code, how.said))
    trial.verdict.note(how.said.replace(str(trial.task.run), "RUN").strip())
    return False
