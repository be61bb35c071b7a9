"""Grow an instruction-tuning dataset out of a language model's own generations.

The method is Self-Instruct (Wang et al., 2022, arXiv 2212.10560). The picture of
the rooms and of what flows between them is in the README; errors are in
:mod:`asyncgen.errors`, the values that flow in :mod:`asyncgen.records`.
"""

__version__ = "0.1.0"
