"""Tasks in a page: all of them while they fit, then cut, then some of them; and said which."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

from asyncgen.report.page.tasks import packed

if TYPE_CHECKING:
    from asyncgen.report.measures.measures import Measures
    from asyncgen.report.page.tasks import Packed


def _unpacked(found: Packed) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = json.loads(gzip.decompress(base64.b64decode(found.data)))
    return plain


def test_all_tasks_are_there_with_their_neighbours(small_measures: Measures) -> None:
    found = packed([small_measures])
    (run,) = _unpacked(found)

    assert (found.cut, found.every) == (None, 1)
    assert len(run["tasks"]) == len(small_measures.tasks)
    for number, (task, row) in enumerate(zip(run["tasks"], small_measures.tasks, strict=True), 1):
        assert task[:4] == [
            *(number, row.draft.id, row.draft.instruction),
            int(bool(row.draft.is_classification)),
        ]
        assert task[4] == [[one.input, one.output] for one in row.draft.instances or ()]
        assert run["seeds"][task[6]] == row.seed.text
        kept = run["tasks"][task[8]][2] if isinstance(task[8], int) else task[8]
        assert kept == row.kept.text


def test_what_does_not_fit_is_cut_and_then_thinned_out(small_measures: Measures) -> None:
    whole = packed([small_measures])
    budget = len(whole.data) // 3
    found = packed([small_measures], budget)
    (run,) = _unpacked(found)

    assert len(found.data) <= budget
    assert found.cut == 200
    assert found.every > 1
    assert [task[0] for task in run["tasks"]] == list(range(1, 121, found.every))
    assert packed([small_measures], len(whole.data)) == whole
