"""How like an answer is to what was expected: ROUGE-L and exact match, as SuperNI measures them.

Both are taken against each of several references, and the best counts.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import numpy as np

from asyncgen.evaluate.porter import stem
from asyncgen_kernels import rouge_l as rouge_l_of
from asyncgen_kernels import tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["exact_match", "rouge_l", "stems"]

_STEMMED_FROM = 4
"""Characters. rouge_score leaves shorter words as they are."""

_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def rouge_l(prediction: str, references: Sequence[str]) -> float:
    """Return the F-measure in [0, 1] that rouge_score gives with its stemmer.

    Raises:
        ValueError: If there is no reference.
    """
    numbers: dict[str, int] = {}
    said = _numbered(prediction, numbers)
    return max(rouge_l_of(_numbered(one, numbers), said) for one in references)


def exact_match(prediction: str, references: Sequence[str]) -> bool:
    """Whether an answer is one of the references, but for case, punctuation and blanks.

    Articles count, as in SuperNI and other than in SQuAD.
    """
    return _normal(prediction) in {_normal(one) for one in references}


def stems(text: str) -> list[str]:
    """Return what rouge_score compares of a text."""
    return [stem(word) if len(word) >= _STEMMED_FROM else word for word in tokenize(text)]


def _numbered(text: str, numbers: dict[str, int]) -> NDArray[np.int32]:
    return np.array([numbers.setdefault(one, len(numbers)) for one in stems(text)], np.int32)


def _normal(text: str) -> str:
    return " ".join(text.lower().translate(_WITHOUT_PUNCTUATION).split())
