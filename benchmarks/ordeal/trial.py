"""One run under trial: its sessions, what its journal held after each, and the judgement."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ordeal.account import Account, Stop, settle
from ordeal.journaled import Journaled, read_journal
from ordeal.provider import providing
from ordeal.session import Ended, Session, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ordeal.provider import Manner, Provider
    from ordeal.verdict import Verdict

__all__ = ["LEFT", "Expected", "Trial", "calm_run", "undisturbed"]

LEFT = {
    *("settings.toml", "seeds.jsonl", "journal.db", "dataset.jsonl", "rejected.jsonl"),
    *("run.lock", "server.log"),
}
"""What a finished run's folder holds."""

_RESUMABLE = 3
_PATIENCE = 50  # sessions in which a run must come to its end, once nothing disturbs it


@dataclass(frozen=True)
class Expected:
    """What an undisturbed run made.

    Attributes:
        outputs: Bytes of the dataset and of what was rejected.
        answers: In its journal.
        seconds: From the start of the process to its end.
    """

    outputs: tuple[bytes, bytes]
    answers: int
    seconds: float


def undisturbed(task: Task, endpoints: Sequence[str]) -> Expected:
    """Run to the end in one session.

    Raises:
        RuntimeError: If it does not get there.
    """
    task.run.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    ended = Session.start(task, endpoints, 64).wait()
    seconds = time.monotonic() - began
    if ended.code != 0:
        raise RuntimeError(f"the undisturbed run failed: {ended}")
    dataset, rejected = (path.read_bytes() for path in task.outputs)
    return Expected((dataset, rejected), len(read_journal(task.journal).answers), seconds)


def calm_run(folder: Path, target: int, manner: Manner) -> Expected:
    """Do the same against a provider without faults, below a folder."""
    calm = dataclasses.replace(manner, faults="")
    with providing(folder / "calm", 1, calm) as providers:
        return undisturbed(Task(folder / "undisturbed", target), [providers[0].url])


@dataclass
class Trial:
    """A run that is disturbed.

    Attributes:
        journaled: What its journal held when last looked at.
        stops: The ends of its sessions.
    """

    task: Task
    expected: Expected
    verdict: Verdict
    journaled: Journaled = field(default_factory=Journaled)
    stops: list[Stop] = field(default_factory=list)
    paused: int = 0
    _kills: int = 0

    @property
    def kills(self) -> int:
        """How many sessions were killed."""
        return self._kills

    def start(
        self,
        endpoints: Sequence[str],
        in_flight: int,
        *,
        before: Callable[[], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Session:
        """Start a session; see :meth:`Session.start`."""
        return Session.start(
            self.task, endpoints, in_flight, before=before, environment=environment
        )

    def take_down(self, session: Session) -> None:
        """Kill a session and look at what it leaves."""
        session.kill()
        self._kills += 1
        self.look(session, disturbed=True)

    def look(self, session: Session, *, disturbed: bool = False) -> None:
        """Look at what a session left that has ended, in whatever way."""
        hold = self.verdict.hold
        ended = session.killed or time.time()
        strays = session.strays()
        hold("no process outlives a session", not strays, strays)
        found = read_journal(self.task.journal)
        hold("nothing that was journaled is lost", found.begins_with(self.journaled))
        dataset = self.task.outputs[0]
        if dataset.exists():
            content = dataset.read_bytes()
            whole = self.expected.outputs[0].startswith(content) and content[-1:] in {b"", b"\n"}
            hold("the dataset is a beginning of the whole one at any moment", whole)
        self.stops.append(Stop(session.started, ended, session.in_flight, found, disturbed))
        self.journaled = found

    def ended(self, session: Session, how: Ended) -> bool:
        """Take note of a session that ended of itself; return whether the run is done."""
        self.look(session)
        if how.code == _RESUMABLE:
            self.paused += 1
        fine = how.code in {0, _RESUMABLE}
        self.verdict.hold("a session ends with success or resumably", fine, (how.code, how.said))
        return how.code == 0

    def finish(self, endpoints: Sequence[str], in_flight: int = 64) -> None:
        """Resume until the run is done."""
        for _ in range(_PATIENCE):
            session = self.start(endpoints, in_flight)
            if self.ended(session, session.wait()):
                return
        self.verdict.hold("the run comes to its end", held=False)

    def compare(self) -> None:
        """Hold what the finished run made against the undisturbed one's."""
        for path, expected in zip(self.task.outputs, self.expected.outputs, strict=True):
            same = path.exists() and path.read_bytes() == expected
            self.verdict.hold(f"{path.name} is the undisturbed run's, byte for byte", same)
        found = {entry.name for entry in self.task.run.iterdir()}
        litter = sorted(found - LEFT)
        self.verdict.hold(
            "a finished run's folder holds its files and no others", not litter, litter
        )

    def settle(self, providers: Sequence[Provider]) -> Account:
        """Hold the providers' logs against what was journaled at each end of a session."""
        log = [line for one in providers for line in one.requests()]
        account = settle(log, self.stops)
        hold = self.verdict.hold
        hold("no journaled request is sent again", not account.sent_again, account.sent_again)
        hold("all that is journaled was answered", not account.unbilled, account.unbilled)
        promise = "a session that nothing disturbs journals all that it is answered"
        hold(promise, not account.dropped, account.dropped)
        few = account.paid_twice <= account.in_air
        hold("no more is paid twice than was in the air when it was disturbed", few, account)
        hold("no more is in the air than allowed", not account.over_ceiling, account.over_ceiling)
        return account

    def tell(self, account: Account | None = None) -> None:
        """Add the figures that every trial has."""
        figures = self.verdict.figures
        figures["sessions"] = len(self.stops)
        figures["kills"] = self.kills
        if self.paused:
            figures["sessions that paused (exit 3)"] = self.paused
        figures["answers in the journal"] = len(self.journaled.answers)
        figures["answers in the undisturbed journal"] = self.expected.answers
        if account is not None:
            figures["attempts that providers saw"] = account.requests
            figures["of those answered whole (billed)"] = account.billed
            figures["in the air when disturbed"] = account.in_air
            figures["of those not answered yet"] = account.unanswered
            figures["longest wait for the journal then, seconds"] = account.oldest
            figures["billed twice"] = account.paid_twice
            figures["billed twice if abandoned ones are billed"] = account.worst_twice
