"""The pool of texts that a candidate must differ from; exact by contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asyncgen_kernels.columns import Columns
from asyncgen_kernels.index import Index
from asyncgen_kernels.measure import THRESHOLD
from asyncgen_kernels.scan import scan_many, scores
from asyncgen_kernels.text import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from asyncgen_kernels.scan import Scan
    from asyncgen_kernels.text import Tokenizer

_BATCH = 1024  # texts: enough to forget the cost of a call, few enough for the processor's cache


@dataclass(frozen=True, slots=True)
class Nearest:
    """The entry most similar to a text.

    Attributes:
        index: The oldest of the entries with the highest score; None when none shares a token.
        score: The reference's F with it, in [0, 1]; 0.0 without an index.
    """

    index: int | None
    score: float


class Admission(NamedTuple):
    """What became of a candidate. A tuple: made in a third of the time of a data class.

    Attributes:
        entry: Where it stands now; None when it was rejected.
        nearest: The entry most similar to a rejected text, the oldest of equals; None when it was
            admitted.
        score: The reference's F with that entry, above the threshold; 0.0 when it was admitted.
    """

    entry: int | None
    nearest: int | None
    score: float

    @property
    def admitted(self) -> bool:
        """Whether it was appended."""
        return self.entry is not None


@dataclass(frozen=True, slots=True)
class PoolSnapshot:
    """Counts of a pool at one moment.

    Attributes:
        entries: Texts, those without a token included.
        tokens: Tokens of all entries together.
        vocabulary: Distinct tokens, those of rejected texts included.
        bytes: Taken by entries and index, and by the columns that are made when single texts are
            scanned; room for growth takes none before it is used.
        vocabulary_bytes: Reserved for the vocabulary.
    """

    entries: int
    tokens: int
    vocabulary: int
    bytes: int
    vocabulary_bytes: int


class Pool:
    """Texts kept so far, and the decision whether another is new enough to join them.

    The score is rouge_score's rougeL F-measure without a stemmer; a candidate whose score with
    any entry exceeds the threshold is rejected, exactly as by the reference's float. A text
    without a token scores 0 with everything, so it is always admitted.

    One thread may write (add, admit and their like); others may read at the same time (nearest,
    similar, scan, snapshot). The work runs without the GIL.

    Args:
        threshold: Reject above this score, in (0, 1]; at 1 nothing is rejected.
        tokenizer: How texts are cut into tokens: "rouge" as the reference does, or "unicode";
            see `asyncgen_kernels.tokenize`.

    Raises:
        ValueError: When the threshold is outside (0, 1], or there is no such tokenizer.
    """

    def __init__(self, threshold: float = THRESHOLD, tokenizer: Tokenizer = "rouge") -> None:
        self._vocabulary = Vocabulary(tokenizer)
        self._index = Index(threshold)
        self._columns = Columns()

    @property
    def threshold(self) -> float:
        """Reject above this score."""
        return self._index.threshold

    @property
    def tokenizer(self) -> Tokenizer:
        """How texts are cut into tokens."""
        return self._vocabulary.tokenizer

    def add(self, text: str) -> int:
        """Append a text, however similar, and return its index.

        Raises:
            OverflowError: When tokens or entries outgrow their numbers; nothing is appended.
        """
        self.add_many([text])
        return len(self) - 1

    def add_many(self, texts: Sequence[str]) -> None:
        """Append texts, however similar. Many at once are indexed much faster than one by one.

        Raises:
            OverflowError: When tokens or entries outgrow their numbers; some may be appended.
        """
        try:
            for batch in _batches(texts):
                self._index.append(self._vocabulary.learn(batch))
        finally:
            self._index.settle(len(self._vocabulary))

    def admit(self, text: str) -> Admission:
        """Append the text unless an entry's score with it exceeds the threshold.

        Raises:
            OverflowError: When tokens or entries outgrow their numbers; nothing is appended.
        """
        return self.admit_many([text])[0]

    def admit_many(self, texts: Sequence[str]) -> list[Admission]:
        """Admit one after the other: each is compared with those admitted before it, too.

        Raises:
            OverflowError: When tokens or entries outgrow their numbers; some may be appended.
        """
        admissions: list[Admission] = []
        for batch in _batches(texts):
            found = self._index.admit(self._vocabulary.learn(batch))
            self._index.settle(len(self._vocabulary))
            rows = zip(
                _numbers(found.entry), _numbers(found.nearest), found.score.tolist(), strict=True
            )
            admissions += map(Admission._make, rows)

        return admissions

    def nearest(self, text: str) -> Nearest:
        """The most similar entry, the oldest of equals; learns nothing."""
        found = self.similar([text], k=1)
        if found.index[0, 0] < 0 or found.score[0, 0] == 0:
            return Nearest(index=None, score=0.0)

        return Nearest(index=int(found.index[0, 0]), score=float(found.score[0, 0]))

    def similar(
        self,
        texts: Sequence[str],
        *,
        k: int = 10,
        before: Sequence[int] | None = None,
        threads: int = 1,
    ) -> Scan:
        """Each text's most similar entries, its mean score, and how all scores are distributed.

        Args:
            texts: What to compare; nothing of it is learned.
            k: How many entries for each text, best first, among equals the oldest first.
            before: For each text, compare it with the entries below this index only: with the
                pool as it stood when it had so many.
            threads: How many threads work at once.
        """
        entries = self._index.view()  # before the vocabulary's size, which then covers it
        bounds = None if before is None else np.asarray(before, np.int64)
        queries = self._vocabulary.find(texts)
        return scan_many(
            queries,
            entries,
            len(self._vocabulary),
            k=k,
            before=bounds,
            threads=threads,
            columns=self._columns,
        )

    def scan(self, text: str) -> NDArray[np.float64]:
        """The score of the text with every entry, oldest first, shape (entries,)."""
        entries = self._index.view()  # before the vocabulary, which then has all its tokens
        query = self._vocabulary.find([text])
        return scores(query.tokens, entries, self._columns)

    def snapshot(self) -> PoolSnapshot:
        """Counts as of now."""
        entries = self._index.view()
        return PoolSnapshot(
            entries=entries.offsets.size - 1,
            tokens=entries.tokens.size,
            vocabulary=len(self._vocabulary),
            bytes=self._index.nbytes + self._columns.nbytes,
            vocabulary_bytes=self._vocabulary.nbytes,
        )

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        now = self.snapshot()
        return (
            f"<Pool threshold={self.threshold} tokenizer={self.tokenizer} entries={now.entries}"
            f" tokens={now.tokens} vocabulary={now.vocabulary}>"
        )


def _numbers(found: NDArray[np.int64]) -> list[int | None]:
    """None instead of what is negative."""
    return [None if number < 0 else number for number in found.tolist()]


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), _BATCH):
        yield texts[start : start + _BATCH]
