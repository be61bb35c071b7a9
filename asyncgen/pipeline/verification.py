"""Whether what a run wrote follows from its journal, and its journal from its settings."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from asyncgen.dataset import json_line
from asyncgen.errors import RunFolderError
from asyncgen.journal import JournalReader, request_digest
from asyncgen.pipeline.asking import asked_again, concerns
from asyncgen.pipeline.comparing import Comparison, compare_lines
from asyncgen.pipeline.harvest import all_rejections, harvest
from asyncgen.pipeline.run import load_fold
from asyncgen.pipeline.status import status_of
from asyncgen.settings import differences

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from asyncgen.pipeline.fold import Fold
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.records import Request, Stage

__all__ = [
    "Differs",
    "FileCheck",
    "OddRequest",
    "Requests",
    "RunsCompared",
    "State",
    "Verification",
    "compare_runs",
    "verify",
]

State = Literal["identical", "absent", "older", "different"]

Differs = Literal["prompt", "shown", "sampling", "sha256", "nothing asks it"]

_SHOWN = 5
"""Requests that are named; the others are counted."""


class FileCheck(Struct, frozen=True):
    """How a file stands to what follows from the journal.

    Attributes:
        state: "older" where it is what an earlier session can have written: a crash, or a process
            at work, is ahead of it.
        comparison: ``None`` if there is no file.
    """

    name: str
    state: State
    comparison: Comparison | None = None


class OddRequest(Struct, frozen=True):
    """A journaled request that settings, seeds and answers do not lead to.

    Attributes:
        differs: In what; "nothing asks it" if they lead to none.
    """

    stage: Stage
    key: str
    differs: Differs


class Requests(Struct, frozen=True):
    """Every journaled request against the same one made anew.

    Attributes:
        answers: How many there are.
        taken_over: How many were asked by another run, as that run's settings lead to them.
        odd: How many differ otherwise.
        first: The first of those.
    """

    answers: int
    taken_over: int = 0
    odd: int = 0
    first: tuple[OddRequest, ...] = ()


class Verification(Struct, frozen=True, kw_only=True):
    """What came of verifying a run.

    Attributes:
        damage: What SQLite finds wrong with the journal; then nothing else was looked at.
        tasks: Finished tasks that follow from the journal.
        target: How many are wanted.
    """

    damage: tuple[str, ...] = ()
    tasks: int = 0
    target: int = 0
    requests: Requests = Requests(0)
    files: tuple[FileCheck, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether all follows."""
        same = all(one.state == "identical" for one in self.files)
        return same and not self.damage and not self.requests.odd


class RunsCompared(Struct, frozen=True):
    """How the dataset of another run differs from that of the first.

    Attributes:
        settings: Those that differ, as ``name: first → other``.
        dataset: The other's lines against the first's, both derived from their journals.
    """

    settings: tuple[str, ...]
    dataset: Comparison


def verify(folder: RunFolder) -> Verification:
    """Replay a run and compare, changing nothing; another process may be at work on it.

    Raises:
        RunFolderError: If there is no run here, or it cannot be read.
        InputError: If what it was told by is gone or has changed.
    """
    damage = tuple(JournalReader(folder.journal).check())
    if damage:
        return Verification(damage=damage)
    settings, fold = load_fold(folder)
    state = status_of(settings, fold)
    brought_in = harvest(fold, settings.target)
    dataset = _check_dataset(folder.dataset, [json_line(one) for one in brought_in.tasks])
    may_be_older = dataset.state != "identical" or not state.complete
    rejected = _check_rejected(
        folder.rejected,
        [json_line(one) for one in brought_in.rejections],
        [json_line(one) for one in all_rejections(fold)] if may_be_older else (),
    )
    return Verification(
        tasks=state.tasks,
        target=state.target,
        requests=_check_requests(folder, fold),
        files=(dataset, rejected),
    )


def compare_runs(folder: RunFolder, other: RunFolder) -> RunsCompared:
    """Compare what follows from two journals, whatever files were written.

    Raises:
        RunFolderError: If one of them is no run, or cannot be read.
        InputError: If what one was told by is gone or has changed.
    """
    settings, fold = load_fold(folder)
    others, other_fold = load_fold(other)
    return RunsCompared(
        tuple(differences(settings, others, passing_over=())),
        compare_lines(
            [json_line(one) for one in harvest(fold, settings.target).tasks],
            [json_line(one) for one in harvest(other_fold, others.target).tasks],
        ),
    )


def _check_dataset(path: Path, expected: list[bytes]) -> FileCheck:
    found = _lines(path)
    if found is None:
        return FileCheck(path.name, "absent")
    compared = compare_lines(expected, found)
    older = found == expected[: len(found)]
    return FileCheck(path.name, _state(compared, older=older), compared)


def _check_rejected(path: Path, expected: list[bytes], known: Iterable[bytes]) -> FileCheck:
    """Compare; an older file holds some of what is known now, in the same order."""
    found = _lines(path)
    if found is None:
        return FileCheck(path.name, "absent")
    compared = compare_lines(expected, found)
    ahead = iter(known)
    older = not compared.identical and all(line in ahead for line in found)
    return FileCheck(path.name, _state(compared, older=older), compared)


def _state(compared: Comparison, *, older: bool) -> State:
    return "identical" if compared.identical else "older" if older else "different"


def _lines(path: Path) -> list[bytes] | None:
    try:
        return path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RunFolderError(path, f"cannot be read ({error.strerror})") from error


def _check_requests(folder: RunFolder, fold: Fold) -> Requests:
    """Make every request anew, of as many answers as were folded."""
    answers = sum(fold.counts.answers.values())
    journal = JournalReader(folder.journal)
    taken_over, odd, first = 0, 0, list[OddRequest]()
    for answer, digest in islice(zip(journal, journal.digests(), strict=False), answers):
        request = answer.request
        differs = _differs(fold, request, digest)
        if differs is None:
            continue
        if answer.completion.recalled and _is_of_use(fold, request, digest):
            taken_over += 1
            continue
        odd += 1
        if len(first) < _SHOWN:
            first.append(OddRequest(request.stage, request.key, differs))
    return Requests(answers, taken_over, odd, tuple(first))


def _is_of_use(fold: Fold, request: Request, digest: bytes) -> bool:
    """Whether a request that this run would not make was made by another, and serves this one."""
    return request_digest(request) == digest and concerns(fold, fold.prompts, request)


def _differs(fold: Fold, request: Request, digest: bytes) -> Differs | None:
    anew = asked_again(fold, fold.prompts, request)
    if anew is None:
        return "nothing asks it"
    if anew.prompt != request.prompt:
        return "prompt"
    if anew.shown != request.shown:
        return "shown"
    if anew.sampling != request.sampling:
        return "sampling"
    return "sha256" if request_digest(anew) != digest else None
