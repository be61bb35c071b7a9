"""Writing what was decided: kept rows in their corpus's format, rejected ones as JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.corpus.dedup import Annotation, Decision, Nearest
    from asyncgen.corpus.rows import Corpus
    from asyncgen.corpus.sink import Sink

__all__ = ["ANNOTATIONS", "KeptWriter", "RejectedWriter"]

ANNOTATIONS = ("most_similar", "avg_similarity_score")
"""The fields that annotating adds, named as by the original Self-Instruct."""


class KeptWriter:
    """Writes kept rows as they stood, or annotated.

    Args:
        corpus: Where they come from, its first row read.
        sink: Where they go.
        annotate: Whether they carry annotations.
    """

    def __init__(self, corpus: Corpus, sink: Sink, *, annotate: bool) -> None:
        self._corpus = corpus
        self._sink = sink
        self._between = b""
        sink.write(corpus.annotated_opening(ANNOTATIONS) if annotate else corpus.opening)

    def write(self, decisions: Sequence[Decision]) -> int:
        """Write the kept ones among these and return how many they are."""
        pieces = [self._row(decision) for decision in decisions if decision.kept]
        if pieces:
            separator = self._corpus.separator
            self._sink.write(self._between + separator.join(pieces))
            self._between = separator
        return len(pieces)

    def end(self) -> None:
        """Write what stands behind the last row."""
        self._sink.write(self._corpus.closing)

    def _row(self, decision: Decision) -> bytes:
        row, note = decision.row, decision.annotation
        return row.raw if note is None else self._corpus.annotated(row, _annotations(note))


class RejectedWriter:
    """Writes rejected rows, one JSON object a line, with reason, nearest and score.

    Args:
        corpus: Where they come from.
        sink: Where they go.
    """

    def __init__(self, corpus: Corpus, sink: Sink) -> None:
        self._corpus = corpus
        self._sink = sink

    def write(self, decisions: Sequence[Decision]) -> None:
        """Write the rejected ones among these."""
        lines = [
            self._corpus.as_json(decision.row, _explanation(decision.nearest)) + b"\n"
            for decision in decisions
            if decision.nearest is not None
        ]
        self._sink.write(b"".join(lines))


def _annotations(note: Annotation) -> dict[str, bytes]:
    values = (orjson.dumps(note.most_similar), orjson.dumps(note.average))
    return dict(zip(ANNOTATIONS, values, strict=True))


def _explanation(nearest: Nearest) -> dict[str, bytes]:
    described = {
        "text": nearest.text,
        "index": nearest.index,
        "source": {"file": nearest.file, "row": nearest.row},
    }
    return {
        "reason": b'"similar"',
        "nearest": orjson.dumps(described),
        "score": orjson.dumps(nearest.score),
    }
