"""A run that is killed and whose write-ahead log then loses the end."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from ordeal.journaled import read_journal
from ordeal.moment import log_uniform
from ordeal.provider import providing
from ordeal.session import Task
from ordeal.trial import Trial
from ordeal.verdict import Verdict
from ordeal.wal import Cut, damage, read_wal

if TYPE_CHECKING:
    from pathlib import Path

    from ordeal.killing import Killing
    from ordeal.provider import Provider
    from ordeal.session import Session
    from ordeal.trial import Expected

__all__ = ["cut_again_and_again"]


def cut_again_and_again(plan: Killing, folder: Path, expected: Expected) -> Verdict:
    """Kill a run so often, damage the end of its log each time, let it finish, and judge."""
    cuts, target = plan.kills, plan.target
    rng = random.Random(plan.seed)
    verdict = Verdict(f"{cuts} cuts of the write-ahead log, {target:,} tasks, seed {plan.seed}")
    trial = Trial(Task(folder / "run", target), expected, verdict)
    ways = [way for _ in range(cuts) for way in get_args(Cut)][:cuts]
    with providing(folder / "wild", 1, plan.manner) as providers:
        urls = [providers[0].url]
        while ways:
            session = trial.start(urls, round(log_uniform(rng, 2, 64)))
            share = (expected.answers - len(trial.journaled.answers)) // (len(ways) + 1)
            if not _works(session, providers[0], rng.randint(1, share)):
                trial.ended(session, session.wait())
                break
            session.lasts(rng.uniform(0.0, 0.05))
            trial.take_down(session)
            if _cut(trial, ways[0], rng):
                ways.pop(0)
        verdict.figures["cuts"] = cuts - len(ways)
        trial.finish(urls)
    trial.compare()
    verdict.figures["answers that the cuts took"] = sum(len(stop.lost) for stop in trial.stops)
    trial.tell(trial.settle(providers))
    return verdict


def _works(session: Session, provider: Provider, requests: int) -> bool:
    """Return when so many more requests have ended; false if the session has before."""
    enough = provider.ended() + requests
    return session.wait_for(lambda: provider.ended() >= enough)


def _cut(trial: Trial, way: Cut, rng: random.Random) -> bool:
    """Damage the log, if it holds a transaction that a power cut may take; hold what is left."""
    path = trial.task.journal
    wal = read_wal(path)
    if wal is None or not wal.is_ahead:
        return False
    whole = trial.journaled
    earlier = read_journal(path, wal_bytes=wal.before_last)
    if len(earlier.answers) == len(whole.answers):
        return False
    damage(path, wal, way, rng)
    left = read_journal(path)
    promise = f"the end of the log damaged ({way}): all of the earlier commits is there, no more"
    trial.verdict.hold(promise, left == earlier, (len(left.answers), len(earlier.answers)))
    last = trial.stops.pop()
    lost = whole.contents - left.contents
    trial.stops.append(replace(last, lost=lost))
    trial.journaled = left
    return True
