"""What ``asyncgen verify`` found, in words."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncgen.pipeline.comparing import Comparison, Difference
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.pipeline.verification import FileCheck, Requests, RunsCompared, Verification

__all__ = ["compared", "verified"]


def verified(folder: RunFolder, found: Verification, process: int | None) -> str:
    """Return what came of verifying a run, a line for each thing that was looked at.

    Args:
        folder: Of the run.
        found: What came of it.
        process: The one that is at work on it, if one is.
    """
    return "\n".join(_verified(folder, found, process))


def compared(folder: RunFolder, other: RunFolder, found: RunsCompared) -> str:
    """Return how the dataset of another run differs from that of the first."""
    dataset = found.dataset
    verdict = "the same dataset" if dataset.identical else "other datasets"
    lines = [
        f"{folder.path} and {other.path}: {verdict}",
        *(f"  setting {one}" for one in found.settings),
        _row("datasets", f"{dataset.expected:,} and {dataset.found:,} tasks"),
    ]
    if not dataset.identical:
        lines[-1] += f": in the second {_amounts(dataset)}"
    return "\n".join([*lines, *map(_difference, dataset.first), *_rest(dataset)])


def _verified(folder: RunFolder, found: Verification, process: int | None) -> Iterator[str]:
    if found.damage:
        first, *others = found.damage
        more = f" (and {len(others)} more)" if others else ""
        yield f"{folder.path}: nothing can be derived from a damaged journal"
        yield _row(folder.journal.name, f"damaged: {first}{more}")
        return
    verdict = "all of it follows from its journal" if found.sound else "not all of it follows"
    yield f"{folder.path}: {found.tasks:,} of {found.target:,} tasks; {verdict}"
    if process is not None:
        yield f"  process {process} is at work on it: the files are those of the session before"
    yield _row(folder.journal.name, f"{found.requests.answers:,} answers, undamaged")
    yield from _requests(found.requests)
    for one in found.files:
        yield from _file(folder, one, process)


def _requests(found: Requests) -> Iterator[str]:
    if not found.odd:
        others = f", but for {found.taken_over:,} taken over from another run"
        others = others if found.taken_over else ""
        yield _row("requests", f"each as settings, seeds and answers lead to it{others}")
        return
    yield _row("requests", f"{found.odd:,} of {found.answers:,} are not what settings lead to")
    for one in found.first:
        yield f"    {one.stage} {one.key}: {one.differs}"
    if found.odd > len(found.first):
        yield f"    … and {found.odd - len(found.first):,} more"


def _file(folder: RunFolder, found: FileCheck, process: int | None) -> Iterator[str]:
    mend = shlex.join(["asyncgen", "generate", str(folder.path)])
    then = "written when the process ends" if process is not None else f"run {mend}"
    comparison = found.comparison
    if comparison is None:
        yield _row(found.name, f"not written yet; {then}")
    elif found.state == "identical":
        yield _row(found.name, f"{_lines(comparison.found)}, identical")
    elif found.state == "older":
        of = f"{comparison.found:,} of {_lines(comparison.expected)}"
        yield _row(found.name, f"{of}: older than the journal; {then}")
    else:
        yield _row(found.name, f"{_amounts(comparison)} of {_lines(comparison.expected)}")
        yield from map(_difference, comparison.first)
        yield from _rest(comparison)


def _difference(one: Difference) -> str:
    name = f" ({one.id})" if one.id else ""
    field = f" in {one.field}" if one.field else ""
    return f"    line {one.line}{name}: {one.what}{field}"


def _amounts(comparison: Comparison) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in comparison.counts.items())


def _rest(comparison: Comparison) -> Iterator[str]:
    more = sum(comparison.counts.values()) - len(comparison.first)
    if more:
        yield f"    … and {more:,} more"


def _lines(count: int) -> str:
    return f"{count:,} line{'' if count == 1 else 's'}"


def _row(name: str, said: str) -> str:
    return f"  {name:<16}{said}"
