"""The filter: rows in, decisions out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from asyncgen.corpus.origins import Origins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.corpus.rows import Row
    from asyncgen_kernels import Admission, Pool

__all__ = ["TOP", "Annotation", "Decision", "Deduplicator", "Nearest"]

TOP = 10
"""How many of the most similar texts the original records."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The most similar text of those before, and where it stands.

    Attributes:
        text: What it says.
        index: Its number among all that is compared with: excluded texts, then kept rows.
        file: The file that it stands in.
        row: Its ``Row.number`` there.
        score: The ROUGE-L F-measure with it.
    """

    text: str
    index: int
    file: str
    row: int
    score: float


class Annotation(NamedTuple):
    """What the original Self-Instruct records of a kept text.

    Attributes:
        most_similar: At most ten texts before it and their scores, best first, the older of
            equals first; each text once.
        average: The mean score with everything before it; 0.0 if there is nothing.
    """

    most_similar: list[tuple[str, float]]
    average: float


class Decision(NamedTuple):
    """What becomes of a row.

    Attributes:
        row: The row.
        nearest: What it is too similar to; ``None`` if it is kept, or if nobody asks.
        annotation: ``None`` if it is rejected, or if nobody asks.
        kept: Whether it is.
    """

    row: Row
    kept: bool
    nearest: Nearest | None = None
    annotation: Annotation | None = None


class Deduplicator:
    """A pool whose entries are known by text and place.

    Args:
        pool: Empty; what a text is compared with.
        explain: Name the nearest of a rejected row; costs the memory of all texts.
        annotate: Record the most similar of a kept row; likewise, and a scan for each.
        threads: For these scans.
    """

    def __init__(self, pool: Pool, *, explain: bool, annotate: bool, threads: int) -> None:
        self._pool = pool
        self._explain = explain
        self._annotate = annotate
        self._threads = threads
        self._known = Origins()

    def begin(self, file: str) -> None:
        """Take the rows that follow to be of this file."""
        self._known.begin(file)

    def exclude(self, rows: Sequence[Row]) -> None:
        """Add rows however similar."""
        self._pool.add_many([row.text for row in rows])
        self._remember(rows)

    def decide(self, rows: Sequence[Row]) -> list[Decision]:
        """Keep what is novel, one after the other, and say what became of each."""
        admissions = self._pool.admit_many([row.text for row in rows])
        kept = [row for row, admission in zip(rows, admissions, strict=True) if admission.admitted]
        self._remember(kept)
        annotations = iter(self._annotations(kept))
        return [
            Decision(row, kept=True, annotation=next(annotations, None))
            if admission.admitted
            else Decision(row, kept=False, nearest=self._nearest(admission))
            for row, admission in zip(rows, admissions, strict=True)
        ]

    def _remember(self, rows: Sequence[Row]) -> None:
        if self._explain or self._annotate:
            self._known.extend(rows)

    def _nearest(self, admission: Admission) -> Nearest | None:
        index = admission.nearest
        if not self._explain or index is None:
            return None
        text, file, row = self._known[index]
        return Nearest(text, index, self._known.files[file], row, admission.score)

    def _annotations(self, kept: Sequence[Row]) -> list[Annotation]:
        """Return those of the rows that were admitted last."""
        if not self._annotate or not kept:
            return []
        first = len(self._pool) - len(kept)
        texts = [row.text for row in kept]
        before = range(first, len(self._pool))
        scan = self._pool.similar(texts, k=TOP, before=before, threads=self._threads)
        return [
            Annotation(self._distinct(text, index, score, limit), mean if limit else 0.0)
            for text, index, score, mean, limit in zip(
                texts,
                scan.index.tolist(),
                scan.score.tolist(),
                scan.mean.tolist(),
                before,
                strict=True,
            )
        ]

    def _distinct(
        self, text: str, index: list[int], score: list[float], limit: int
    ) -> list[tuple[str, float]]:
        """Count each text once; look deeper while that leaves fewer than ten of them."""
        while True:
            found: dict[str, float] = {}
            for entry, value in zip(index, score, strict=True):
                if entry >= 0:
                    found.setdefault(self._known.text(entry), value)
            if len(found) >= TOP or len(index) >= limit or index[-1] < 0:
                return list(found.items())[:TOP]
            wider = min(4 * len(index), limit)
            scan = self._pool.similar([text], k=wider, before=[limit], threads=self._threads)
            index, score = scan.index[0].tolist(), scan.score[0].tolist()
