"""Exact ROUGE-L novelty filter: how similar is a text to everything kept so far, and may it join?

`Pool` is what most callers want. Importing compiles nothing; see `warm_up`.
"""

from __future__ import annotations

from asyncgen_kernels.kernels import f_measure
from asyncgen_kernels.pairs import lcs_length, rouge_l
from asyncgen_kernels.pool import Admission, Nearest, Pool, PoolSnapshot, warm_up
from asyncgen_kernels.rouge import required_lcs
from asyncgen_kernels.text import Vocabulary, tokenize

__all__ = [
    "Admission",
    "Nearest",
    "Pool",
    "PoolSnapshot",
    "Vocabulary",
    "f_measure",
    "lcs_length",
    "required_lcs",
    "rouge_l",
    "tokenize",
    "warm_up",
]
