"""Texts to integers: two tokenizers and a growing vocabulary."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from asyncgen_kernels import text_kernels
from asyncgen_kernels.characters import ascii_kinds, unicode_kinds
from asyncgen_kernels.edges import BLOCK, END

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

Tokenizer: TypeAlias = Literal["rouge", "unicode"]
"""How texts are cut into tokens; see `tokenize`."""

UNKNOWN = -1
"""What `Vocabulary.find` gives for a token it has not learned."""

_MOST_TOKENS = 2**31  # ids are int32

_END = bytearray([END])  # a bytearray joins to one, which kernels may write

_RUN = re.compile("[a-z0-9]+")
_KINDS = re.compile(b"w[wm]*|am*")  # over the kinds of the characters


def tokenize(text: str, tokenizer: Tokenizer = "rouge") -> list[str]:
    """The tokens of the text; slow and plain, the definition that `Vocabulary` follows.

    "rouge" is what rouge_score does without a stemmer: runs of [a-z0-9] in the lower-cased text.
    Lower-casing is Unicode's and comes first: the Kelvin sign U+212A gives "k", and a capital I
    with a dot gives "i" and a combining mark that ends the token.

    "unicode" has tokens in every script. The text is brought to normal form NFKC, so that
    full-width, ligature and decomposed characters are what they look like, and then lower-cased.
    A token is a run of letters and numbers with their combining marks (categories L, N, M). In
    scripts that are written without blanks, as Han, kana, Thai or Khmer, each letter is a token
    with its marks; decimal digits form runs there, too. All else separates: the underscore, joiners
    and soft hyphens within words, and marks that follow a separator, as those of emoji do.

    Lone surrogates, which broken JSON brings, separate. Categories and forms are those of the
    Unicode that Python was built with.

    Raises:
        ValueError: When there is no such tokenizer.
    """
    folded = _folding(tokenizer)(text)
    if tokenizer == "rouge":
        return _RUN.findall(folded)

    points = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = unicode_kinds()[points].tobytes()
    return [folded[token.start() : token.end()] for token in _KINDS.finditer(kinds)]


def _folding(tokenizer: Tokenizer) -> Callable[[str], str]:
    """What is done to a text before it is cut."""
    if tokenizer == "rouge":
        return str.lower

    if tokenizer == "unicode":
        return _normal_lower

    raise ValueError(f"tokenizer must be 'rouge' or 'unicode', not {tokenizer!r}")


def _normal_lower(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


class Encoded(NamedTuple):
    """Texts as ids of tokens.

    Attributes:
        tokens: The ids of all texts, one after another, shape (tokens,).
        offsets: Text t is tokens[offsets[t] : offsets[t + 1]], shape (texts + 1,).
    """

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]


class _Table(NamedTuple):
    """What readers take: arrays, and how many of the tokens in them are fit to be read.

    Attributes:
        arrays: Slots, bytes and starts; see `asyncgen_kernels.text_kernels`.
        known: The number of tokens.
    """

    arrays: text_kernels.Table
    known: int


class Vocabulary:
    """Numbers tokens in the order they are first learned: 0, 1, 2, …; none is ever forgotten.

    One thread may learn while others read; they see all tokens of a call to `learn` or none. The
    kernels run without the GIL. A call takes a few microseconds and one more for each 25 tokens;
    batches of up to some thousand texts are quickest, for their work fits into the caches.

    Args:
        tokenizer: How texts are cut into tokens; see `tokenize`.

    Raises:
        ValueError: When there is no such tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer = "rouge") -> None:
        self._tokenizer: Tokenizer = tokenizer
        self._fold = _folding(tokenizer)
        self._kinds = ascii_kinds() if tokenizer == "rouge" else unicode_kinds()
        slots, pool = np.zeros((2048, 2), np.uint64), np.empty(8192, np.uint8)
        self._table = _Table((slots, pool, np.zeros(1025, np.int64)), known=0)
        # The learning thread's count, ahead of the table's while it learns. Kernels keep it: no
        # exception, an interrupt included, comes between a token and its being counted.
        self._learned = np.zeros(1, np.int64)

    @property
    def tokenizer(self) -> Tokenizer:
        """How texts are cut into tokens."""
        return self._tokenizer

    @property
    def nbytes(self) -> int:
        """Bytes reserved by the arrays, the room for growth included; not what all share."""
        return sum(array.nbytes for array in self._table.arrays)

    def learn(self, texts: Sequence[str]) -> Encoded:
        """The ids of the texts' tokens; new ones get the next numbers in order of appearance.

        Raises:
            OverflowError: When ids outgrow int32. Tokens numbered until then keep their numbers;
                readers see them after the next call.
        """
        spans, tokens, offsets = self._split(texts)
        done = 0
        while True:
            arrays, known = self._table
            done = text_kernels.learn(spans, arrays, self._learned, tokens, done)
            if done == tokens.size:
                break

            _, begin, end = spans[1][done]
            self._table = _Table(_grown(arrays, int(self._learned[0]), int(end - begin)), known)

        if self._learned[0] > known:
            self._table = _Table(arrays, int(self._learned[0]))  # now readers see them
        return Encoded(tokens, offsets)

    def find(self, texts: Sequence[str]) -> Encoded:
        """The ids of the texts' tokens, UNKNOWN where there is none; learns nothing."""
        arrays, known = self._table
        spans, tokens, offsets = self._split(texts)
        text_kernels.find(spans, arrays, known, tokens)
        return Encoded(tokens, offsets)

    def token(self, number: int) -> str:
        """The token with this id.

        Raises:
            IndexError: When no token has it.
        """
        (_, pool, starts), known = self._table
        if not 0 <= number < known:
            raise IndexError(f"ids end before {known}, there is no {number}")

        return pool[starts[number] : starts[number + 1]].tobytes().decode()

    def _split(
        self, texts: Sequence[str]
    ) -> tuple[text_kernels.Spans, NDArray[np.int32], NDArray[np.int64]]:
        """The texts cut into tokens, room for their ids, and the offsets of the texts."""
        fold = self._fold
        parts = [
            text.encode() if text.isascii() else fold(text).encode("utf-8", "surrogatepass")
            for text in texts
        ]
        parts.append(bytes(BLOCK))
        buffer = np.frombuffer(_END.join(parts), np.uint8)
        spans = np.empty((buffer.size // 2, 3), np.uint64)
        offsets = np.zeros(len(parts), np.int64)
        count = text_kernels.split(buffer, self._kinds, spans, offsets)
        return (buffer, spans), np.empty(count, np.int32), offsets

    def __len__(self) -> int:
        return self._table.known

    def __contains__(self, token: object) -> bool:
        if not isinstance(token, str):
            return False

        ids = self.find([token]).tokens
        return ids.size == 1 and ids[0] != UNKNOWN and self.token(int(ids[0])) == token

    def __repr__(self) -> str:
        return f"<Vocabulary tokenizer={self._tokenizer} tokens={len(self)}>"


def _grown(arrays: text_kernels.Table, known: int, length: int) -> text_kernels.Table:
    """A table of `known` tokens with more room for bytes where `length` do not fit, or for tokens.

    Arrays are replaced, never changed: readers may hold the old ones.

    Raises:
        OverflowError: When ids outgrow int32.
    """
    slots, pool, starts = arrays
    used = int(starts[known])
    if used + length > pool.size:
        larger = np.empty(max(2 * pool.size, used + length), np.uint8)
        larger[:used] = pool[:used]
        return slots, larger, starts

    if known >= _MOST_TOKENS:
        raise OverflowError(f"a vocabulary has at most {_MOST_TOKENS} tokens")

    more = np.zeros((2 * len(slots), 2), np.uint64)
    text_kernels.rehash(slots, more)
    firsts = np.empty(2 * known + 1, np.int64)
    firsts[: known + 1] = starts
    return more, pool, firsts
