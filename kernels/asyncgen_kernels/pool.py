"""The pool of texts that a candidate must differ from; exact by contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from asyncgen_kernels.entries import Entries
from asyncgen_kernels.kernels import f_measure, scan_all, scan_best
from asyncgen_kernels.pairs import lcs_length
from asyncgen_kernels.rouge import THRESHOLD, check_threshold, required_lcs
from asyncgen_kernels.text import Vocabulary, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Nearest:
    """The entry most similar to a text.

    Attributes:
        index: The oldest of the entries with the highest score; None when none shares a token.
        score: The reference's F with it, in [0, 1]; 0.0 without an index.
    """

    index: int | None
    score: float


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of a candidate.

    Attributes:
        admitted: Whether it was appended.
        index: Where it stands now; None when it was rejected.
        nearest: The most similar of the entries before it; exact also when it was admitted.
    """

    admitted: bool
    index: int | None
    nearest: Nearest


@dataclass(frozen=True, slots=True)
class PoolSnapshot:
    """Counts of a pool at one moment.

    Attributes:
        entries: Texts, those without a token included.
        tokens: Tokens of all entries together.
        vocabulary: Distinct tokens.
        bytes: Reserved by the arrays, room for growth included; the vocabulary is not counted.
    """

    entries: int
    tokens: int
    vocabulary: int
    bytes: int


class Pool:
    """Texts kept so far, and the decision whether another is new enough to join them.

    The score is rouge_score's rougeL F-measure without a stemmer; a candidate whose score with
    any entry exceeds the threshold is rejected, exactly as by the reference's float. A text
    without a token of [a-z0-9] scores 0 with everything, so it is always admitted.

    One thread may write (add, admit, admit_many); others may read at the same time. The work
    runs without the GIL.

    Args:
        threshold: Reject above this score, in (0, 1]; at 1 nothing is rejected.

    Raises:
        ValueError: When the threshold is outside (0, 1].
    """

    def __init__(self, threshold: float = THRESHOLD) -> None:
        check_threshold(threshold)
        self._threshold = threshold
        self._vocabulary = Vocabulary()
        self._entries = Entries()

    @property
    def threshold(self) -> float:
        """Reject above this score."""
        return self._threshold

    def add(self, text: str) -> int:
        """Append a text, however similar, and return its index.

        Raises:
            OverflowError: When the vocabulary outgrows int32; nothing is appended.
        """
        return self._entries.append(self._vocabulary.encode(text))

    def nearest(self, text: str) -> Nearest:
        """The most similar entry, the oldest of equals; learns nothing."""
        nearest, _ = self._judge(tokenize(text))
        return nearest

    def admit(self, text: str) -> Admission:
        """Append the text unless an entry's score with it exceeds the threshold.

        Raises:
            OverflowError: When the vocabulary outgrows int32; nothing is appended.
        """
        tokens = tokenize(text)
        nearest, similar = self._judge(tokens)
        if similar:
            return Admission(admitted=False, index=None, nearest=nearest)

        index = self._entries.append(self._vocabulary.learn(tokens))
        return Admission(admitted=True, index=index, nearest=nearest)

    def admit_many(self, texts: Iterable[str]) -> list[Admission]:
        """Admit one after the other: each is compared with those admitted before it, too.

        Raises:
            OverflowError: When the vocabulary outgrows int32; the texts before stay.
        """
        return [self.admit(text) for text in texts]

    def scan(self, text: str) -> NDArray[np.float64]:
        """The score of the text with every entry, oldest first, shape (entries,)."""
        query = self._vocabulary.find(tokenize(text))
        entries = self._entries.view()
        scores = np.zeros(entries.signatures.size)
        if query.size:
            scan_all(query, entries.tokens, entries.offsets, len(self._vocabulary), scores)

        return scores

    def snapshot(self) -> PoolSnapshot:
        """Counts as of now."""
        return PoolSnapshot(
            entries=len(self._entries),
            tokens=self._entries.view().tokens.size,
            vocabulary=len(self._vocabulary),
            bytes=self._entries.nbytes,
        )

    def _judge(self, tokens: Sequence[str]) -> tuple[Nearest, bool]:
        """The nearest entry, and whether its score exceeds the threshold."""
        query = self._vocabulary.find(tokens)
        entries = self._entries.view()  # before the vocabulary's size, which then covers it
        if query.size == 0 or entries.tokens.size == 0:
            return Nearest(index=None, score=0.0), False

        index, lcs = scan_best(query, *entries, len(self._vocabulary))
        if index < 0:
            return Nearest(index=None, score=0.0), False

        m, n = query.size, int(entries.offsets[index + 1] - entries.offsets[index])
        nearest = Nearest(index=index, score=f_measure(lcs, m, n))
        return nearest, lcs >= required_lcs(self._threshold, m, n)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        now = self.snapshot()
        return (
            f"<Pool threshold={self._threshold} entries={now.entries} tokens={now.tokens}"
            f" vocabulary={now.vocabulary}>"
        )


def warm_up() -> None:
    """Compile every kernel, or load it from the cache, so that no later call waits for it.

    Call it in a thread of its own while the first requests are in the air. It takes seconds on
    a machine's first run and a fraction of one later; a second call does nothing new.
    """
    pool = Pool()
    pool.add("one two three")
    pool.scan("two")
    pool.nearest("two")
    ids = np.zeros(1, np.int32)
    lcs_length(ids, ids)
