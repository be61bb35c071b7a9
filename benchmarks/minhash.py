"""What MinHash with locality-sensitive hashing would decide, and at what cost: rensa, datasketch.

A text is the set of its tokens, sketched by 128 permutations in 32 bands of 4. A text is a find
when a band of it equals one of an entry. Most finds are false, so they have to be verified: here
by rapidfuzz, handed the entries as lists of ints.
"""

from __future__ import annotations

import os
import time
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # rensa's: one thread against one thread

from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

from asyncgen.bench.timing import quickest
from asyncgen_kernels import required_lcs
from asyncgen_kernels.pairs import lcs_length

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

PERMUTATIONS = 128
BANDS = 32
SEED = 42
UP_TO = {"rensa": 1_000_000, "datasketch": 200_000}  # entries; beyond, memory runs out


class Peer(Protocol):
    """An index of sets of tokens."""

    def add(self, sets: Sequence[list[str]]) -> None:
        """Append entries."""
        ...

    def find(self, sets: Sequence[list[str]]) -> list[list[int]]:
        """Sketch texts, and return for each the entries that share a band with it."""
        ...


class Rensa:
    """rensa's R-MinHash, sketches in matrices."""

    def __init__(self) -> None:
        rensa: Any = import_module("rensa")  # it has no types
        self._sketches: Any = rensa.RMinHash
        self._lsh: Any = rensa.RMinHashLSH(0.5, PERMUTATIONS, BANDS)
        self._size = 0

    def add(self, sets: Sequence[list[str]]) -> None:
        """Append entries."""
        matrix = self._sketches.digest_matrix_from_token_sets(sets, PERMUTATIONS, SEED)
        self._lsh.insert_matrix(matrix, self._size)
        self._size += len(sets)

    def find(self, sets: Sequence[list[str]]) -> list[list[int]]:
        """Sketch texts, and return for each the entries that share a band with it."""
        sketches = self._sketches.from_token_sets(sets, PERMUTATIONS, SEED)
        found: list[list[int]] = self._lsh.query_all(sketches)
        return found


class Datasketch:
    """datasketch, sketches in bulk."""

    def __init__(self) -> None:
        datasketch: Any = import_module("datasketch")
        self._sketches: Any = datasketch.MinHash
        bands = (BANDS, PERMUTATIONS // BANDS)
        self._lsh: Any = datasketch.MinHashLSH(num_perm=PERMUTATIONS, params=bands)
        self._size = 0

    def add(self, sets: Sequence[list[str]]) -> None:
        """Append entries."""
        for number, sketch in enumerate(self._sketched(sets), self._size):
            self._lsh.insert(number, sketch)
        self._size += len(sets)

    def find(self, sets: Sequence[list[str]]) -> list[list[int]]:
        """Sketch texts, and return for each the entries that share a band with it."""
        return [self._lsh.query(sketch) for sketch in self._sketched(sets)]

    def _sketched(self, sets: Sequence[list[str]]) -> list[Any]:
        encoded = [[token.encode() for token in tokens] for tokens in sets]
        sketches: list[Any] = self._sketches.bulk(encoded, num_perm=PERMUTATIONS, seed=SEED)
        return sketches


KINDS: dict[str, Callable[[], Peer]] = {"rensa": Rensa, "datasketch": Datasketch}


class Result(NamedTuple):
    """A peer at one size of the pool.

    Attributes:
        name: Whose code it is.
        us_per_candidate: Microseconds for sketching and looking up; sets of tokens in.
        verified_us: Likewise, with verifying what was found.
        recall: Share of the candidates to reject for which an entry that they resemble is found.
        false_finds: Share of the others for which something is found.
        load_s: Seconds for all entries; sets of tokens in.
    """

    name: str
    us_per_candidate: float
    verified_us: float
    recall: float
    false_finds: float
    load_s: float


class Contest:
    """Peers that are fed the same entries as the pool, until it is too large for them.

    Args:
        names: Of the peers.
        threshold: Reject above this score.
    """

    def __init__(self, names: Sequence[str], threshold: float) -> None:
        self._threshold = threshold
        self._peers = {name: KINDS[name]() for name in names}
        self._load_s = dict.fromkeys(names, 0.0)
        self._size = 0

    def add(self, entries: Sequence[NDArray[np.int32]]) -> None:
        """Append entries; peers for which they are too many are let go."""
        self._size += len(entries)
        for name in [name for name in self._peers if self._size > UP_TO[name]]:
            del self._peers[name]

        sets = [_tokens(entry) for entry in entries] if self._peers else []
        for name, peer in self._peers.items():
            begun = time.perf_counter()
            peer.add(sets)
            self._load_s[name] += time.perf_counter() - begun

    def results(
        self,
        candidates: Sequence[NDArray[np.int32]],
        rejected: NDArray[np.bool_],
        entry: Callable[[int], NDArray[np.int32]],
    ) -> list[Result]:
        """Measure all that are left.

        Args:
            candidates: Their tokens.
            rejected: The exact decisions, shape (candidates,).
            entry: Returns the tokens of an entry.
        """
        sets = [_tokens(candidate) for candidate in candidates]
        results: list[Result] = []
        for name, peer in self._peers.items():
            seconds = quickest(partial(peer.find, sets))
            found = peer.find(sets)
            pairs = [
                ([text.tolist()], [entry(number).tolist() for number in numbers])
                for text, numbers in zip(candidates, found, strict=True)
                if numbers
            ]
            verifying = quickest(partial(self._verify, pairs))
            hits = [
                any(self._resembles(candidates[text], entry(number)) for number in found[text])
                for text in np.flatnonzero(rejected).tolist()
            ]
            finds = np.array([bool(numbers) for numbers in found])
            results.append(
                Result(
                    name,
                    seconds / len(sets) * 1e6,
                    (seconds + verifying) / len(sets) * 1e6,
                    _share(np.array(hits, np.bool_)),
                    _share(finds[~rejected]),
                    self._load_s[name],
                )
            )
        return results

    def _verify(self, pairs: Sequence[tuple[list[list[int]], list[list[int]]]]) -> None:
        for text, entries in pairs:
            cdist(text, entries, scorer=Indel.normalized_similarity, score_cutoff=self._threshold)

    def _resembles(self, one: NDArray[np.int32], other: NDArray[np.int32]) -> bool:
        need = required_lcs(self._threshold, one.size, other.size)
        return need <= min(one.size, other.size) and lcs_length(one, other) >= need


def installed() -> list[str]:
    """Return the peers that are there."""
    return [name for name in KINDS if find_spec(name) is not None]


def _tokens(text: NDArray[np.int32]) -> list[str]:
    return [str(token) for token in set(text.tolist())]


def _share(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if values.size else float("nan")
