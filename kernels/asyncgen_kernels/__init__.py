"""Exact ROUGE-L novelty filter: how similar is a text to everything kept so far, and may it join?

`Pool` is what most callers want. Importing compiles nothing; see `warm_up`.
"""

from __future__ import annotations

from asyncgen_kernels.measure import THRESHOLD, f_measure, required_lcs
from asyncgen_kernels.pairs import lcs_length, rouge_l
from asyncgen_kernels.pool import Admission, Nearest, Pool, PoolSnapshot
from asyncgen_kernels.scan import Scan
from asyncgen_kernels.text import Tokenizer, Vocabulary, tokenize
from asyncgen_kernels.warming import is_cached, warm_up

__all__ = [
    "THRESHOLD",
    "Admission",
    "Nearest",
    "Pool",
    "PoolSnapshot",
    "Scan",
    "Tokenizer",
    "Vocabulary",
    "f_measure",
    "is_cached",
    "lcs_length",
    "required_lcs",
    "rouge_l",
    "tokenize",
    "warm_up",
]
