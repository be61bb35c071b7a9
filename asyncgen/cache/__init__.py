"""Answers that runs share: what was asked once need not be asked again."""

from asyncgen.cache.sharing import Sharing
from asyncgen.cache.store import AnswerCache

__all__ = ["AnswerCache", "Sharing"]
