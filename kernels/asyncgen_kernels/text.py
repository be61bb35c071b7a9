"""Text to integers: the reference's tokenizer and a growing vocabulary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

UNKNOWN = -1
"""What `Vocabulary.find` gives for a token it has not learned."""

_TOKEN = re.compile("[a-z0-9]+")


def tokenize(text: str) -> list[str]:
    """Runs of [a-z0-9] of the lower-cased text, as rouge_score has them without a stemmer.

    Lower-casing is Unicode's and comes first: the Kelvin sign U+212A gives "k", and a capital
    I with a dot gives "i" and a combining mark that ends the token.
    """
    return _TOKEN.findall(text.lower())


class Vocabulary:
    """Numbers tokens in the order they are first learned: 0, 1, 2, …; none is ever forgotten."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}

    def encode(self, text: str) -> NDArray[np.int32]:
        """The ids of the text's tokens, shape (tokens,); new tokens are learned.

        Raises:
            OverflowError: When the vocabulary outgrows int32.
        """
        return self.learn(tokenize(text))

    def learn(self, tokens: Sequence[str]) -> NDArray[np.int32]:
        """The ids of the tokens, shape (tokens,); new ones get the next numbers.

        Raises:
            OverflowError: When the vocabulary outgrows int32.
        """
        ids = self._ids
        return _int32([ids.setdefault(token, len(ids)) for token in tokens])

    def find(self, tokens: Iterable[str]) -> NDArray[np.int32]:
        """The ids of the tokens, shape (tokens,), UNKNOWN where there is none; learns nothing."""
        get = self._ids.get
        return _int32([get(token, UNKNOWN) for token in tokens])

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, token: object) -> bool:
        return token in self._ids

    def __repr__(self) -> str:
        return f"<Vocabulary tokens={len(self)}>"


def _int32(ids: list[int]) -> NDArray[np.int32]:
    return np.array(ids, dtype=np.int32)
