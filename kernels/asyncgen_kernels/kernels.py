"""Bit-parallel longest common subsequence: one pair, and one text against many.

The state is a vector of one bit per token of the pattern, walked along the other text with
V ← (V + (V & M)) | (V & ~M), M marking where the current token stands in the pattern; its zero
bits count the LCS. H. Hyyrö, "Bit-parallel LCS-length computation revisited", AWOCA 2004, after
M. Crochemore, C. S. Iliopoulos, Y. J. Pinzon and J. F. Reid, "A fast and practical bit-vector
algorithm for the longest common subsequence problem", IPL 80 (2001). Addition is modulo 2^64, so
these kernels do not run with NUMBA_DISABLE_JIT=1.

Each kernel is compiled at its first call, for one set of types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asyncgen_kernels.compiled import compiled, inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Kernels mix uint64 with uint64 only: with a signed integer Numba makes a float64 of both.
_ONE = np.uint64(1)
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_PAIRS = np.uint64(0x5555_5555_5555_5555)
_NIBBLES = np.uint64(0x3333_3333_3333_3333)
_BYTES = np.uint64(0x0F0F_0F0F_0F0F_0F0F)
_SUM = np.uint64(0x0101_0101_0101_0101)
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)  # 2^64 / golden ratio: Fibonacci hashing
_STEPS = 254  # buckets of F are numbered 0 to 255


def f_measure(lcs: int, m: int, n: int) -> float:
    """The reference's F for two texts of `m` and `n` tokens whose LCS has `lcs`, 0 <= lcs <= m, n.

    In float64 and in rouge_score's order of operations, so bit for bit its number; 0.0 where the
    LCS is empty. Symmetric in `m` and `n`, and strictly rising in `lcs`: neighbours are about
    1 / lcs apart, rounding is good to a few units of 2^-53.
    """
    if lcs == 0:
        return 0.0

    precision = lcs / n
    recall = lcs / m
    return 2 * precision * recall / (precision + recall)


_f_measure = compiled(f_measure)


@compiled
def _popcount(word: np.uint64) -> int:
    """The number of one bits; LLVM knows this idiom and makes one instruction of it."""
    word -= (word >> np.uint64(1)) & _PAIRS
    word = (word & _NIBBLES) + ((word >> np.uint64(2)) & _NIBBLES)
    word = (word + (word >> np.uint64(4))) & _BYTES
    return int(np.int64((word * _SUM) >> np.uint64(56)))  # int() alone would stay unsigned


@compiled
def signature(ids: NDArray[np.int32]) -> np.uint64:
    """A set of the text's tokens in 64 bits, a bit for each, some sharing one; UNKNOWN has none.

    Each bit of one text that another lacks stands for at least one token without a partner.
    """
    bits = np.uint64(0)
    for token in ids:
        if token >= 0:
            bits |= _ONE << ((np.uint64(token) * _SPREAD) >> np.uint64(58))

    return bits


@compiled
def _pattern(
    query: NDArray[np.int32], vocabulary: int
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64]]:
    """Where each token stands in the query, an array of ids below `vocabulary`, or UNKNOWN.

    Returns:
        For at most 64 tokens: `rows` empty, `masks` one word for each id. For more: `rows`,
        shape (vocabulary,), says where in `masks` a token's ceil(m / 64) words begin; the words
        at 0 are empty. Memory is 8 B an id, and for the latter distinct tokens · m / 8 B more.
        Third, scratch of ceil(m / 64) words.
    """
    words = (query.size + 63) // 64
    scratch = np.empty(words, np.uint64)
    if query.size <= 64:
        rows = np.empty(0, np.int64)
        masks = np.zeros(vocabulary, np.uint64)
        for position in range(query.size):
            if query[position] >= 0:
                masks[query[position]] |= _ONE << np.uint64(position)

        return rows, masks, scratch

    rows = np.zeros(vocabulary, np.int64)
    end = words
    for token in query:
        if token >= 0 and rows[token] == 0:
            rows[token] = end
            end += words

    masks = np.zeros(end, np.uint64)
    for position in range(query.size):
        if query[position] >= 0:
            word = rows[query[position]] + (position >> 6)
            masks[word] |= _ONE << np.uint64(position & 63)

    return rows, masks, scratch


@inlined
def _lcs_word(masks: NDArray[np.uint64], tokens: NDArray[np.int32], start: int, end: int) -> int:
    """The LCS of tokens[start:end] with a query of at most 64 tokens; O(n)."""
    bits = _ALL
    for position in range(start, end):  # unsigned indices: no wrap-around to check for
        match = masks[np.uint32(tokens[np.uint64(position)])]
        bits = (bits + (bits & match)) | (bits & ~match)

    return _popcount(~bits)


@compiled
def _lcs_words(
    rows: NDArray[np.int64],
    masks: NDArray[np.uint64],
    text: NDArray[np.int32],
    vector: NDArray[np.uint64],
) -> int:
    """The LCS with a query of any length; O(n · ceil(m / 64)). A word's carry goes to the next."""
    vector[:] = _ALL
    for token in text:
        row = masks[rows[token] : rows[token] + vector.size]
        carry = np.uint64(0)
        for word in range(vector.size):
            old = vector[word]
            partial = old + (old & row[word])
            total = partial + carry
            carry = np.uint64(partial < old) | np.uint64(total < partial)
            vector[word] = total | (old & ~row[word])

    length = 0
    for word in range(vector.size):
        length += _popcount(~vector[word])

    return length


@inlined
def _lcs(
    pattern: tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64]],
    tokens: NDArray[np.int32],
    start: int,
    end: int,
) -> int:
    """The LCS of tokens[start:end] with the query that the pattern was made of."""
    rows, masks, scratch = pattern
    if scratch.size > 1:
        return _lcs_words(rows, masks, tokens[start:end], scratch)

    return _lcs_word(masks, tokens, start, end)


@compiled
def lcs_pair(query: NDArray[np.int32], text: NDArray[np.int32], vocabulary: int) -> int:
    """The LCS length of two arrays of ids below `vocabulary`, shapes (m,) and (n,)."""
    return _lcs(_pattern(query, vocabulary), text, 0, text.size)


@compiled
def scan_all(
    query: NDArray[np.int32],
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    vocabulary: int,
    scores: NDArray[np.float64],
) -> None:
    """Write the F of the query with every entry into `scores`.

    Args:
        query: Ids below `vocabulary`, or UNKNOWN, shape (m,).
        tokens: The entries' ids, one after another, all below `vocabulary`.
        offsets: Entry e is tokens[offsets[e] : offsets[e + 1]], shape (entries + 1,).
        vocabulary: The number of tokens an id may name.
        scores: Written, shape (entries,).
    """
    pattern = _pattern(query, vocabulary)
    for entry in range(scores.size):
        start, end = offsets[entry], offsets[entry + 1]
        lcs = _lcs(pattern, tokens, start, end)
        scores[entry] = _f_measure(lcs, query.size, end - start)


@compiled
def _bucket(lcs: int, total: int) -> int:
    """F = 2 · lcs / total in steps: bucket b holds (b - 1) / STEPS <= F < b / STEPS, 0 only 0."""
    if lcs <= 0:
        return 0

    return 1 + (2 * _STEPS * lcs) // total


@compiled
def _bounds(
    query: NDArray[np.int32], offsets: NDArray[np.int64], signatures: NDArray[np.uint64]
) -> NDArray[np.uint8]:
    """For each entry the bucket of an upper bound on its F with the query, shape (entries,).

    A token that is unknown, or whose bit the other's signature lacks, has no partner.
    """
    mine = signature(query)
    known = int(np.sum(query >= 0))
    bounds = np.empty(signatures.size, np.uint8)
    for entry in range(signatures.size):
        theirs = signatures[entry]
        n = offsets[entry + 1] - offsets[entry]
        most = min(known - _popcount(mine & ~theirs), n - _popcount(theirs & ~mine))
        bounds[entry] = _bucket(most, query.size + n)

    return bounds


@compiled
def _best_first(bounds: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The entries by falling bucket, old before new, bucket 0 left out: a counting sort."""
    starts = np.zeros(257, np.int64)
    for bucket in bounds:
        starts[255 - bucket] += 1

    total = 0
    for place in range(255):
        count = starts[place]
        starts[place] = total
        total += count

    order = np.empty(total, np.int64)
    for entry in range(bounds.size):
        place = 255 - bounds[entry]
        if place < 255:
            order[starts[place]] = entry
            starts[place] += 1

    return order


@compiled
def scan_best(
    query: NDArray[np.int32],
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    signatures: NDArray[np.uint64],
    vocabulary: int,
) -> tuple[int, int]:
    """The oldest of the entries with the highest F, and its LCS; (-1, 0) where all are 0.

    Entries are visited by falling upper bound, until no bound can reach the best found. Exact:
    a bound two buckets below the best F lies more than 1 / STEPS below it, far beyond rounding.

    The arguments are those of `scan_all`, and the signature of each entry, shape (entries,).
    """
    pattern = _pattern(query, vocabulary)
    bounds = _bounds(query, offsets, signatures)
    best_entry, best_lcs, best, enough = -1, 0, 0.0, 0
    order = _best_first(bounds)
    for place in range(order.size):
        entry = int(order[place])
        if bounds[entry] < enough:
            break

        start, end = offsets[entry], offsets[entry + 1]
        lcs = _lcs(pattern, tokens, start, end)
        score = _f_measure(lcs, query.size, end - start)
        if score > best or (score == best and 0 <= entry < best_entry):
            best_entry, best_lcs, best = entry, lcs, score
            enough = _bucket(lcs, query.size + end - start) - 1

    return best_entry, best_lcs
