"""The tasks in a page: compressed, and small enough to be sent by mail."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.records import Instance
    from asyncgen.report.measures.measures import Measures, TaskRow

__all__ = ["Packed", "packed"]

BUDGET = 6_800_000
"""Characters that the tasks of a page take at the most; the figures take less than one million."""

_CUTS = (None, 1000, 400, 200)
"""Characters that each text is cut to, one after the other, until the tasks fit."""


class Packed(Struct, frozen=True):
    """Tasks as gzipped JSON in base64, which no answer of a model can break out of.

    Attributes:
        cut: Characters after which texts are cut; ``None`` if they are whole.
        every: 1 if all tasks are there, 3 for each third.
    """

    data: str
    cut: int | None
    every: int


def packed(runs: Sequence[Measures], budget: int = BUDGET) -> Packed:
    """Pack the tasks of runs: all of them whole, else cut, else some of them cut."""
    for cut in _CUTS:
        data = _pack(runs, cut, 1)
        if len(data) <= budget:
            return Packed(data, cut, 1)
    every = 2
    while len(data := _pack(runs, _CUTS[-1], every)) > budget:
        every += 1
    return Packed(data, _CUTS[-1], every)


def _pack(runs: Sequence[Measures], cut: int | None, every: int) -> str:
    plain = orjson.dumps([_run(run, cut, every) for run in runs])
    # The same tasks, the same page: no moment is written into it.
    return base64.b64encode(gzip.compress(plain, 9, mtime=0)).decode()


def _run(run: Measures, cut: int | None, every: int) -> dict[str, Any]:
    chosen = [(place, run.tasks[place]) for place in range(0, len(run.tasks), every)]
    shared = {row.draft.instruction: index for index, (_, row) in enumerate(chosen)}
    seeds: dict[str, int] = {}
    return {
        "name": _text(run.name, None),
        "tasks": [_task(place, row, cut, shared, seeds) for place, row in chosen],
        "seeds": [_text(seed, cut) for seed in seeds],
    }


def _task(
    place: int, row: TaskRow, cut: int | None, shared: dict[str, int], seeds: dict[str, int]
) -> list[Any]:
    """Return a task as ``page.js`` reads it; neighbours by number where they stand elsewhere."""
    draft = row.draft
    kept = shared.get(row.kept.text)
    return [
        place + 1,
        draft.id,
        _text(draft.instruction, cut),
        int(bool(draft.is_classification)),
        [_instance(one, cut) for one in draft.instances or ()],
        round(row.seed.score, 3),
        seeds.setdefault(row.seed.text, len(seeds)),
        round(row.kept.score, 3),
        _text(row.kept.text, cut) if kept is None else kept,
    ]


def _instance(one: Instance, cut: int | None) -> list[Any]:
    score = [] if one.judge is None else [one.judge.score]
    return [_text(one.input, cut), _text(one.output, cut), *score]


def _text(words: str, cut: int | None) -> str:
    if cut is not None and len(words) > cut:
        words = words[: cut - 1] + "…"
    # Half of a surrogate pair is nothing that a page can hold.
    return words.encode("utf-8", "replace").decode()
