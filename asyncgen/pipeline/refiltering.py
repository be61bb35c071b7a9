"""A new run from the answers of an old one: other settings for what follows, nothing asked."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import Counter
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from asyncgen.errors import RunFolderError
from asyncgen.journal import Journal, JournalReader
from asyncgen.pipeline.asking import concerns
from asyncgen.pipeline.exclusion import with_excluded
from asyncgen.pipeline.folder import RunFolder
from asyncgen.pipeline.harvest import harvest
from asyncgen.pipeline.run import empty_fold, load_fold, with_seeds, write_files
from asyncgen.pipeline.saturation import Saturation, saturation_of
from asyncgen.settings import DERIVING, differences, read_toml, resolve

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from asyncgen.pipeline.fold import Fold
    from asyncgen.records import Answer, Request, Task
    from asyncgen.settings import Settings

__all__ = ["Changes", "Refiltered", "refilter"]

_GROUP = 512
"""Answers that are written at a time."""


class Changes(Struct, frozen=True, kw_only=True):
    """How a dataset differs from the one that it was made from.

    Attributes:
        unchanged: Tasks that are the same in both.
        changed: Tasks of both whose instances, neighbour or decision differ.
        dropped: Tasks that are gone, by why the new run has them not.
        added: Tasks that are new, by why the old run had them not.
    """

    unchanged: int
    changed: int
    dropped: dict[str, int]
    added: dict[str, int]


class Refiltered(Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        settings: Those that differ, as ``name: old → new``.
        before: Tasks of the old dataset.
        tasks: Tasks of the new one.
        target: How many are wanted.
        answers: Answers that were taken over.
        left_out: Answers that are of no use to the new run.
        paid: US dollars that the old run paid for those taken over; ``None`` if unknown.
        lacking: Kept tasks that have no instances yet, since the old run never asked for them.
        waiting: Finished tasks behind the first of those: the dataset ends before it.
        saturation: How the new run dried up, if it did; answers behind that wait.
    """

    settings: tuple[str, ...]
    before: int
    tasks: int
    target: int
    answers: int
    left_out: int
    paid: float | None
    changes: Changes
    lacking: int
    waiting: int
    saturation: Saturation | None = None


def refilter(folder: RunFolder, out: Path, given: Mapping[str, Any]) -> Refiltered:
    """Make a run of the answers of another, under other settings; that one is only read.

    Args:
        folder: The old run; another process may be at work on it.
        out: Where to make the new one; it appears whole or not at all.
        given: Settings of :data:`DERIVING`; ``None`` leaves one as it was, and files to exclude
            are added to those of the old run.

    Raises:
        RunFolderError: If there is no run to read, or something else where one is to be made.
        InputError: If a setting makes no sense, or a file that it names cannot be used.
    """
    old_settings, old = load_fold(folder)
    settings = _changed(folder, old_settings, given)
    journal = JournalReader(folder.journal)
    answers = sum(old.counts.answers.values())
    _, seeds = with_seeds(settings, folder)
    fold, _ = empty_fold(settings, seeds)
    for answer in islice(journal, answers):
        if answer.request.stage == "generation":
            fold.commit(_taken_over(answer))
    with _appearing(out) as made:
        made.freeze(settings)
        made.keep_seeds(seeds.read_bytes())
        with Journal(made.journal) as written:
            asyncio.run(_write(written, _of_use(old, fold, islice(journal, answers))))
        write_files(made, settings, fold)
    return _outcome((old_settings, old), (settings, fold))


def _changed(folder: RunFolder, old: Settings, given: Mapping[str, Any]) -> Settings:
    flags = {name: given[name] for name in DERIVING if given.get(name) is not None}
    if "exclude" in flags:
        flags["exclude"] = [*old.exclude, *flags["exclude"]]
    settings = resolve(read_toml(folder.settings), flags, source=str(folder.settings))
    # What the old run excluded must be what it was: hashed anew, a change would go unseen.
    return with_excluded(settings) if "exclude" in flags else settings


def _taken_over(answer: Answer) -> Answer:
    completion = msgspec.structs.replace(
        answer.completion, recalled=True, attempts=1, lost_cost=0.0
    )
    return msgspec.structs.replace(answer, completion=completion)


def _of_use(old: Fold, fold: Fold, answers: Iterable[Answer]) -> Iterator[Answer]:
    """Yield those that the new run can use, in their order, and fold those of later stages in."""
    for answer in map(_taken_over, answers):
        if answer.request.stage != "generation":
            if not _serves(old, fold, answer.request):
                continue
            fold.commit(answer)
        yield answer


def _serves(old: Fold, fold: Fold, request: Request) -> bool:
    """Whether a run that reads answers by other rules still waits for this one."""
    if not concerns(fold, fold.prompts, request):
        return False
    name, _, attempt = request.key.partition("#")
    draft, before = fold.draft(name), old.draft(name)
    if draft is None or before is None:
        return False
    if request.stage == "classification":
        return draft.is_classification is None and draft.attempt == int(attempt or 1)
    # Of classification tasks instances are asked in another form.
    return draft.is_classification == before.is_classification


async def _write(journal: Journal, answers: Iterator[Answer]) -> None:
    while group := list(islice(answers, _GROUP)):
        await asyncio.gather(*map(journal.append, group))


@contextmanager
def _appearing(out: Path) -> Generator[RunFolder]:
    """Yield a folder to fill, which is put in its place at the end, or removed."""
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise RunFolderError(out, "not empty; choose another folder for the new run")
        partial.mkdir(parents=True)
    except OSError as error:
        raise RunFolderError(
            out, f"cannot be made ({error.strerror}); choose another folder for the new run"
        ) from error
    try:
        yield RunFolder(partial)
        partial.rename(out)
    except OSError as error:
        raise RunFolderError(out, f"cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _outcome(old: tuple[Settings, Fold], new: tuple[Settings, Fold]) -> Refiltered:
    (old_settings, old_fold), (settings, fold) = old, new
    before = harvest(old_fold, old_settings.target).tasks
    after = harvest(fold, settings.target).tasks
    answers = sum(fold.counts.answers.values())
    open_ones = [draft for draft in fold.drafts if not draft.settled]
    short = len(after) < settings.target
    return Refiltered(
        settings=tuple(differences(old_settings, settings, passing_over=())),
        before=len(before),
        tasks=len(after),
        target=settings.target,
        answers=answers,
        left_out=sum(old_fold.counts.answers.values()) - answers,
        paid=fold.counts.recalled.cost,
        changes=_changes(before, old_fold, after, fold),
        lacking=len(open_ones) if short else 0,
        waiting=fold.counts.valid - fold.known if short else 0,
        saturation=saturation_of(fold) if short else None,
    )


def _changes(before: Sequence[Task], old: Fold, after: Sequence[Task], new: Fold) -> Changes:
    earlier, later = ({task.id: task for task in tasks} for tasks in (before, after))
    both = earlier.keys() & later.keys()
    unchanged = sum(earlier[name] == later[name] for name in both)
    return Changes(
        unchanged=unchanged,
        changed=len(both) - unchanged,
        dropped=_reasons(new, [name for name in earlier if name not in both]),
        added=_reasons(old, [name for name in later if name not in both]),
    )


def _reasons(fold: Fold, absent: Sequence[str]) -> dict[str, int]:
    """Count why tasks are not in a run's dataset."""
    rejected = {
        f"task_{one.ordinal}_{one.position}": one.reason
        for one in fold.rejections
        if one.stage == "generation"
    }

    def reason(name: str) -> str:
        draft = fold.draft(name)
        if draft is None:
            return rejected.get(name, "not_written")
        if not draft.settled:
            return "lacks_instances"
        return "not_reached" if draft.instances else "no_instance"

    return dict(Counter(map(reason, absent)).most_common())
